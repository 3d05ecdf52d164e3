import type { SignedRequest } from "daypass";
import type { LineForm, LineResult } from "daypass/schemes";
import { UsageError } from "../../command.ts";

/** The output formats of `--as`. */
export type Format = "url" | "curl" | "fetch" | "wget" | "html-form";

/** All formats. */
export const FORMATS: readonly Format[] = ["url", "curl", "fetch", "wget", "html-form"];

/** The signed URL or form as text to paste. */
export function format(signed: LineResult, as: Format): string {
  if ("cookies" in signed) throw new Error("the result is neither a URL nor a form");
  if ("fields" in signed) return htmlForm(signed);
  return requestText(signed, as);
}

function requestText(signed: SignedRequest, as: Format): string {
  if ((as === "wget" || as === "fetch") && hasDotSegment(signed.url)) {
    throw new UsageError(
      `--as is ${as}, which removes the . or .. segments of the key and asks for another object. Use --as curl`,
    );
  }
  if (as === "curl") return curl(signed);
  if (as === "wget") return wget(signed);
  return as === "fetch" ? fetchCall(signed) : signed.url;
}

/** The file comes last, because S3 and Cloud Storage ignore fields after it. */
function htmlForm({ url, fields }: LineForm): string {
  return [
    `<form action="${escapeHtml(url)}" method="post" enctype="multipart/form-data" accept-charset="utf-8">`,
    ...Object.entries(fields).map(
      ([name, value]) => `  <input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
    ),
    `  <input type="file" name="file" required>`,
    "  <button>Upload</button>",
    "</form>",
  ].join("\n");
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// No tool changes dots in a query.
function hasDotSegment(url: string): boolean {
  return /^[^?]*\/\.\.?(?:[/?]|$)/.test(url);
}

function curl({ url, method, headers }: SignedRequest): string {
  return [
    "curl --fail",
    // Without this option, curl removes dot segments and requests another object.
    ...(hasDotSegment(url) ? ["--path-as-is"] : []),
    ...(method === "GET" ? [] : method === "HEAD" ? ["--head"] : [`--request ${method}`]),
    // curl omits the header for `name:`. `name;` sends an empty value.
    ...Object.entries(headers).map(
      ([name, value]) => `--header ${quote(value === "" ? `${name};` : `${name}: ${value}`)}`,
    ),
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

// A POSIX shell does not change text in single quotes.
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
