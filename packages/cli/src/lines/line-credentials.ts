import { instant } from "./instant.ts";

/** Credentials as they stand in a line: the end of temporary ones is text. */
export type LineCredentials<C extends { readonly expiration?: Date | undefined }> = Omit<C, "expiration"> & {
  readonly expiration?: string;
};

/** Credentials of the library from those of a line. */
export function credentialsOf<C extends { readonly expiration?: Date | undefined }>(
  credentials: LineCredentials<C>,
): C {
  const { expiration, ...rest } = credentials;
  const dated =
    expiration === undefined ? rest : { ...rest, expiration: instant("credentials.expiration", expiration) };
  return dated as unknown as C;
}
