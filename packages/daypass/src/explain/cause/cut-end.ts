import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";

/** What AWS's SDK for JavaScript writes behind a signature. */
const ENDS = ["x-amz-checksum-mode=ENABLED", ...["Get", "Put", "Head", "Delete"].map((verb) => `x-id=${verb}Object`)];

/** The end of a URL is a part of a word that stands behind a whole signature, so that nothing else shows that it was cut off. */
export function cutEndCause({ sentUrl }: Pick<Subject, "sentUrl">): Cause | undefined {
  const end = sentUrl.wire.query.slice(sentUrl.wire.query.lastIndexOf("&") + 1);
  const whole = ENDS.find((word) => word !== end && word.startsWith(end) && end !== "");
  if (whole === undefined) return undefined;
  return {
    code: "QUERY",
    sentence: `The end of the URL was most likely cut off: it ends with ${end}, which is part of ${whole}.`,
    evidence: ["The signature covers all query parameters."],
    fix: "Use the whole URL: look for a column, a field or a terminal that is too short for it.",
  };
}
