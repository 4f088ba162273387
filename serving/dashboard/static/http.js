// Asking the service: JSON, problem documents, a limit of time.
// Belongs here: one request. Does not: when to ask (app.js).

const LIMIT_MS = 15000;

export class Refused extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

export async function ask(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined));
  let answer;
  try {
    answer = await fetch(query.size ? `${path}?${query}` : path, {
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(LIMIT_MS),
    });
  } catch {
    throw new Refused(0, "unreachable", "The service does not answer. Start it with `spx serve`; this page tries again by itself.");
  }
  const content = await answer.json().catch(() => null);
  if (answer.ok && content !== null) return content;
  if (answer.status === 401) throw new Refused(401, "unauthorized", "The session has ended. Reload the page to sign in again.");
  throw new Refused(answer.status, content?.code ?? "error", content?.detail ?? `The service answered ${answer.status}.`);
}
