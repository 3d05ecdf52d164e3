import type { SignedRequest } from "daypass";

/** How a signed request is shown. */
export type Format = "url" | "curl" | "fetch" | "wget";

export const FORMATS: readonly Format[] = ["url", "curl", "fetch", "wget"];

/** A signed request as something that can be pasted and run. */
export function format(signed: SignedRequest, as: Format): string {
  switch (as) {
    case "url":
      return signed.url;
    case "curl":
      return curl(signed);
    case "wget":
      return wget(signed);
    case "fetch":
      return fetchCall(signed);
  }
}

const DOT_SEGMENT = /\/\.\.?(?:[/?]|$)/;

function curl({ url, method, headers }: SignedRequest): string {
  return [
    "curl --fail",
    // Without it curl removes dot segments, and asks for another object than the one that was signed.
    ...(DOT_SEGMENT.test(url) ? ["--path-as-is"] : []),
    ...(method === "GET" ? [] : method === "HEAD" ? ["--head"] : [`--request ${method}`]),
    ...Object.entries(headers).map(([name, value]) => `--header ${quote(`${name}: ${value}`)}`),
    ...(hasBody(method) ? ["--upload-file FILE"] : []),
    quote(url),
  ].join(" ");
}

function wget({ url, method, headers }: SignedRequest): string {
  return [
    "wget",
    ...(method === "GET" ? [] : [`--method=${method}`]),
    ...Object.entries(headers).map(([name, value]) => `--header=${quote(`${name}: ${value}`)}`),
    ...(hasBody(method) ? ["--body-file=FILE"] : []),
    quote(url),
  ].join(" ");
}

function fetchCall({ url, method, headers }: SignedRequest): string {
  const options = [
    ...(method === "GET" ? [] : [`method: ${JSON.stringify(method)}`]),
    ...(Object.keys(headers).length === 0 ? [] : [`headers: ${JSON.stringify(headers)}`]),
    ...(hasBody(method) ? ["body"] : []),
  ];
  return `await fetch(${JSON.stringify(url)}${options.length === 0 ? "" : `, { ${options.join(", ")} }`});`;
}

function hasBody(method: string): boolean {
  return method === "PUT" || method === "POST";
}

// A POSIX shell reads everything between single quotes as it is.
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
