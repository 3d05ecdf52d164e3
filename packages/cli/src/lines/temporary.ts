import { instant } from "./instant.ts";

/** Temporary credentials as they stand in a line: their end is text. */
export type LineCredentials<C extends { readonly expiration?: Date | undefined }> = Omit<C, "expiration"> & {
  readonly expiration?: string;
};

/** Credentials of the library from those of a line. */
export function temporary<C extends { readonly expiration?: Date | undefined }>(credentials: LineCredentials<C>): C {
  const { expiration, ...rest } = credentials;
  const dated =
    expiration === undefined ? rest : { ...rest, expiration: instant("credentials.expiration", expiration) };
  return dated as unknown as C;
}
