/** A fenced block of TypeScript in a page or a docstring, by where it stands. */
export interface Sample {
  readonly name: string;
  readonly code: string;
}

/** The blocks fenced as `ts` and nothing more: those with another word behind it are not for running. */
export function samplesIn(pages: readonly { readonly name: string; readonly text: string }[]): readonly Sample[] {
  return pages.flatMap(({ name, text }) =>
    [...text.matchAll(/^```ts\n([\s\S]*?)\n```/gm)].map(([, code = ""], i) => ({
      name: `${name}, sample ${i + 1}`,
      code,
    })),
  );
}

/** The modules that a sample imports. */
export function modulesOf(code: string): readonly string[] {
  return [...code.matchAll(/from "([^"]+)"/g)].map(([, module = ""]) => module);
}
