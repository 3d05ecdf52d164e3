/** The beginning of a client's text, quoted for an error message. */
export function excerpt(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
