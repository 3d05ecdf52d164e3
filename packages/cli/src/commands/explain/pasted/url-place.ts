/** Where in a text the signed URL stands. */
export interface UrlPlace {
  readonly text: string;
  readonly url: string;
  /** Where it begins. */
  readonly index: number;
}

// A name and its assignment.
const BEFORE = 120;

/** The name of the variable that is given the URL. */
export function variableOf({ text, index }: UrlPlace): string | undefined {
  return /([A-Za-z_]\w*)\s*:?=\s*["'`]?$/.exec(text.slice(Math.max(0, index - BEFORE), index))?.[1];
}

/** Whether a word of a command is the URL, or the variable that it was given to. */
export function isUrlAt(
  { text, start, end }: { readonly text: string; readonly start: number; readonly end: number },
  { index }: UrlPlace,
  variable: string | undefined,
): boolean {
  return (index >= start && index < end) || (variable !== undefined && /^\$\{?(\w+)\}?$/.exec(text)?.[1] === variable);
}
