import { type AccessKeyNames, checkAccessKey } from "../access-key.ts";

/** A key of Tencent Cloud. */
export interface CosCredentials {
  /** Public, in spite of its name: it stands in every URL. */
  readonly secretId: string;
  /** Secret: never in a URL, a message or a log. */
  readonly secretKey: string;
  /** Present with temporary keys (STS). COS does not sign it. */
  readonly sessionToken?: string | undefined;
  /** When temporary keys end: no URL made with them lives longer. */
  readonly expiration?: Date | undefined;
}

const NAMES: AccessKeyNames = { id: "secretId", secret: "secretKey", token: "sessionToken" };

export const checkCredentials = (credentials: CosCredentials): CosCredentials => checkAccessKey(credentials, NAMES);
