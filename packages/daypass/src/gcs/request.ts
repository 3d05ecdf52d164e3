import { invalidInput } from "../errors.ts";
import {
  checkKey,
  type ObjectCall,
  type ObjectRequest,
  type ObjectRules,
  readObjectRequest,
} from "../object-request.ts";

/** One request to Cloud Storage to sign. */
export interface GcsSignRequest extends Omit<ObjectRequest, "key"> {
  /** The object's name, exactly: it is data and never parsed as a URL. Left out for a call on the bucket itself. */
  readonly object?: string | undefined;
  /**
   * First instant of validity. Signed as `X-Goog-Date`, 15 minutes later than it: Google admits a URL from that long before
   * its date. So the URL has to live for more than 15 minutes after it.
   */
  readonly notBefore?: Date | undefined;
  /** Only `contentDisposition` and `contentType`: Cloud Storage knows no other override. */
  readonly response?: ObjectRequest["response"];
  /** A signature is for one object: `UNSUPPORTED_CONSTRAINT`. */
  readonly prefix?: string | undefined;
}

/** The options of V4. */
export const KNOWN: RegExp =
  /^(?:bucket|object|method|query|headers|dotSegments|expires(?:In|At)|stableWindow|notBefore|bind(?:\.(?:content(?:Type|Length)|sha256|headers|query))?|response(?:\.content(?:Disposition|Type))?)$/;
/** What no version of Cloud Storage can bind, and what can. */
export const INSTEAD: Readonly<Record<string, string>> = {
  "bind.ip": "use the bucket's IP filter",
};

/** Checks a request and collects what it asks for: a digest and a range of lengths become headers. */
export function readGcsRequest(request: GcsSignRequest, rules: ObjectRules): ObjectCall {
  const { object, bind = {}, dotSegments } = request;
  const { sha256, contentLength } = bind;
  if (object !== undefined) checkKey(object, dotSegments, "object");
  const headers: Record<string, string> = { ...bind.headers };
  const add = (name: string, form: RegExp, value: string | false | undefined): void => {
    if (value === undefined || value === false) return;
    if (!form.test(value)) throw invalidInput(name, "documented", value);
    headers[name] = value;
  };
  const isRange = typeof contentLength === "object";
  const { min = 0, max = 0 } = isRange ? contentLength : {};
  add("x-goog-content-sha256", /^[0-9a-f]{64}$/, sha256);
  add("x-goog-content-length-range", /^\d+,\d+$/, isRange && `${min},${max < min ? "less" : max}`);
  const exact = isRange ? undefined : contentLength;
  return readObjectRequest({ ...request, bind: { ...bind, headers, contentLength: exact } }, rules);
}
