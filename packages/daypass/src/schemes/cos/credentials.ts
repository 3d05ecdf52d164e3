import { type AccessKeyNames, checkAccessKey } from "../../core/access-key.ts";

/** A key of Tencent Cloud. */
export interface CosCredentials {
  /** Public, despite its name: it is in every URL. */
  readonly secretId: string;
  /** Secret: never in a URL, a message or a log. */
  readonly secretKey: string;
  /** Present with temporary keys (STS). COS does not sign it. */
  readonly sessionToken?: string | undefined;
  /** When temporary keys expire: no URL signed with them lasts longer. */
  readonly expiration?: Date | undefined;
}

const NAMES: AccessKeyNames = { id: "secretId", secret: "secretKey", token: "sessionToken" };

export const checkCredentials = (credentials: CosCredentials): CosCredentials => checkAccessKey(credentials, NAMES);
