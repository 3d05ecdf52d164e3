/** A page or a redirect that needs nothing but the permit. */
export interface AnswerAlone {
  readonly operation: "answer-alone";
}

export function answerAlone(_request: AnswerAlone): { readonly done: true } {
  return { done: true };
}
