import { isDaypassError } from "../../src/index.ts";

export const AT = new Date("2026-01-02T03:04:05Z");
export const clock = () => AT;
export const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
export const endpoint = "https://s3.example.com";
export const call = { bucket: "media", key: "a.txt", expiresIn: 60 };
export const options = { region: "us-east-1", credentials, clock };

/** What a call says: its result, or its code and message. */
export function message(ask: () => unknown): string {
  try {
    return `signed ${JSON.stringify(ask())}`;
  } catch (error) {
    return isDaypassError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}
