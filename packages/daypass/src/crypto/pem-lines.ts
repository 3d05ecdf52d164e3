/**
 * PEM as every runtime reads it: text before a block may stay, but OpenSSL takes no indentation. Out of an environment variable line
 * ends are often the two characters `\` and `n`; PEM has no `\`.
 */
export function pemLines(pem: unknown): string {
  return String(pem)
    .replaceAll("\\n", "\n")
    .replace(/\\r|^[^\S\n]+/gm, "");
}

/** The first block with one of these labels (an expression), as OpenSSL finds it: its label and base64. */
export function pemBlock(
  pem: unknown,
  labels: string,
): readonly [label: string | undefined, base64: string | undefined] {
  const [, label, base64] =
    new RegExp(`^-----BEGIN (${labels})-----([\\w+/=\\s]+)^-----END \\1-----`, "m").exec(pemLines(pem)) ?? [];
  return [label, base64?.replace(/\s/g, "")];
}
