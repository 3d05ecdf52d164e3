import { isDaypassError } from "../src/index.ts";
import { RSA } from "./cloudfront/keys.ts";
import { clock } from "./edge-fixture.ts";

export const url = "https://media.example.com/hls/a.m3u8";
export const hmac = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "secret" };
export const oss = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "secret" };
export const cos = { secretId: "AKIDEXAMPLE", secretKey: "secret" };
export const pem = { keyPairId: "K1", privateKey: RSA.privateKey, clock };

/** The code of what was thrown or rejected, or `made`. */
export async function codeOf(made: () => unknown): Promise<string> {
  try {
    await made();
    return "made";
  } catch (error) {
    return isDaypassError(error) ? error.code : String(error);
  }
}
