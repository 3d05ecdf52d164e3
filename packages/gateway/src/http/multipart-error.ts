export type MultipartFault = "malformed" | "too-large" | "no-file" | "two-files" | "incomplete";

/** Why a form could not be read. */
export class MultipartError extends Error {
  readonly fault: MultipartFault;

  constructor(fault: MultipartFault, message: string) {
    super(message);
    this.name = "MultipartError";
    this.fault = fault;
  }
}

export function malformed(expected: string): MultipartError {
  return new MultipartError("malformed", `expected a form with ${expected}, found another`);
}

export function tooLarge(expected: string): MultipartError {
  return new MultipartError("too-large", `expected ${expected}, found more`);
}

export function incomplete(): MultipartError {
  return new MultipartError("incomplete", "expected the closing boundary of the form, found the end of the body");
}
