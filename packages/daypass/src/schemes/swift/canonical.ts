/** What a TempURL signs. */
export interface SwiftParts {
  /** The value of `temp_url_ip_range`. */
  readonly ipRange: string | undefined;
  /** Whole seconds since 1970, also where the URL has the time as ISO 8601. */
  readonly expires: number;
  readonly account: string;
  readonly container: string;
  /** The object's name, decoded; unused where there is a prefix. */
  readonly object: string;
  readonly prefix: string | undefined;
}

/**
 * Range, method, end and path, a line each: what the HMAC is computed over. The range stands first "due to newlines being
 * valid in paths", and the path is decoded and begins at the version, whatever stands in front of it in the URL.
 */
export function swiftMessage(
  method: string,
  { ipRange, expires, account, container, object, prefix }: SwiftParts,
): string {
  const range = ipRange === undefined ? "" : `ip=${ipRange}\n`;
  const path = `/v1/${account}/${container}/${prefix ?? object}`;
  return `${range}${method}\n${expires}\n${prefix === undefined ? path : `prefix:${path}`}`;
}

/** The method of a message. */
export function signedMethod(message: string): string {
  return /^(?:ip=.*\n)?([A-Z]+)\n/.exec(message)?.[1] ?? "";
}

/** "HEAD is allowed if GET, PUT, or POST is allowed." */
export function signedMethodsFor(method: string): readonly string[] {
  return method === "HEAD" ? ["HEAD", "GET", "POST", "PUT"] : [method];
}
