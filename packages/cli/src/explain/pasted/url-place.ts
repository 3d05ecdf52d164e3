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
  return /([A-Za-z_]\w*)\s*=\s*["'`]?$/.exec(text.slice(Math.max(0, index - BEFORE), index))?.[1];
}
