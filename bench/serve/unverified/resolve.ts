const REPLACED = "./pipeline/authenticate.js";
const replacement = new URL("authenticate.js", import.meta.url).href;

/** The same gateway, file for file, but for the one step that verifies. */
export const resolve = <C, R>(specifier: string, context: C, next: (specifier: string, context: C) => R) =>
  specifier === REPLACED ? { url: replacement, format: "module", shortCircuit: true } : next(specifier, context);
