const MOST = 60;

/** What was found in a configuration, for a message: short, and without the password or the query of a URL. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value);
  const text = value.replace(/\/\/[^/?#]*@/, "//…@").replace(/[?#].*/s, "…");
  return JSON.stringify(text.length > MOST ? `${text.slice(0, MOST)}…` : text);
}
