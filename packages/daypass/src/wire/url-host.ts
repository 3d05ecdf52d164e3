// Every runtime of the Web has it, a bare engine such as QuickJS has not; the library is compiled without the types of any.
declare const URL: new (url: string) => { readonly host: string };

/**
 * The authority of a URL as clients send it: lower case, without a default port, and an IP address in its one spelling, as they make
 * `127.0.0.1` of `127.1` and would sign nothing anew. The empty text where they refuse it.
 */
export function urlHost(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return "";
  }
}
