/** A form as a browser posts it: the fields, then the file as the last part. */
export interface Posted {
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly fileName: string;
  readonly file: string | Uint8Array;
}

/** `multipart/form-data` (RFC 7578) of a form. */
export function multipart({ fields, fileName, file }: Posted): {
  readonly contentType: string;
  readonly body: Uint8Array;
} {
  const boundary = "----daypass-form-0a1b2c3d4e5f";
  const parts = fields.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${fileName}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat([
      Buffer.from(parts.join("") + head),
      Buffer.from(file),
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  };
}
