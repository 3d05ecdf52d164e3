/**
 * PEM as every runtime reads it: text before a block may stay, but OpenSSL takes no indentation. Out of an environment variable line
 * ends are often the two characters `\` and `n`, or spaces; PEM has no `\`, and a space only in front of the words of a label.
 */
export function pemLines(pem: unknown): string {
  return String(pem).replace(/(\\[nr]|\s)+(?![\w ]*\w-)/g, "\n");
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
