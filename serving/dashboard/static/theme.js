// The theme before the first paint: a classic script in the head, so that a dark page never flashes white.
// Belongs here: reading and setting the choice. Does not: colours (dashboard.css).
(() => {
  const KEY = "spx-theme";
  const root = document.documentElement;
  const stored = () => {
    try {
      return localStorage.getItem(KEY) ?? "system";
    } catch {
      return "system"; // storage is forbidden: the choice lasts as long as the page
    }
  };
  const apply = (theme) => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
  };
  apply(stored());
  window.spxTheme = {
    current: stored,
    choose(theme) {
      try {
        localStorage.setItem(KEY, theme);
      } catch {
        // the choice lasts as long as the page
      }
      apply(theme);
    },
  };
})();
