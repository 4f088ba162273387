// The market stream: new bars and forecasts over a WebSocket that comes back by itself.
// Belongs here: connecting, waiting longer after each failure, hearing that nothing comes. Does not: what events mean (panels).

const FIRST_MS = 500;
const LONGEST_MS = 8000;
const SILENT_MS = 17000; // heartbeats come every 5 s: three missed

export class Live extends EventTarget {
  #socket = null;
  #failures = 0;
  #timer = 0;
  #silence = 0;
  #everOpen = false;

  start() {
    clearTimeout(this.#timer);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/market-stream`);
    this.#socket = socket;
    this.#listen();
    socket.onopen = () => {
      const again = this.#everOpen;
      this.#everOpen = true;
      this.#failures = 0;
      this.#tell("state", { kind: "ok", text: "Live" });
      if (again) this.#tell("back", {});
    };
    socket.onmessage = (message) => {
      this.#listen();
      const event = JSON.parse(message.data);
      this.#tell(event.type, event);
    };
    socket.onclose = () => socket === this.#socket && this.#again();
  }

  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#socket?.close(), SILENT_MS);
  }

  #again() {
    clearTimeout(this.#silence);
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures++);
    const wait = longest * (0.5 + Math.random() / 2); // not all pages at once when the service is back
    this.#tell("state", { kind: this.#failures > 3 ? "bad" : "warn", text: this.#failures > 3 ? "Service away" : "Reconnecting" });
    this.#timer = setTimeout(() => this.start(), wait);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
