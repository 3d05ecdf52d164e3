import { gcsFormVerifier, gcsHmacFormVerifier } from "../../src/schemes/gcs/form/index.ts";
import { hmacKey, publicAccount } from "../gcs/account.ts";
import { NOW } from "./bases.ts";
import { gcsFormBases } from "./gcs-form.ts";
import { testForms } from "./tamper-forms.ts";

const options = { enforces: ["body-length", "body-checksum"], clock: () => NOW } as const;

testForms("gcs/form, HMAC", gcsHmacFormVerifier({ keys: hmacKey, ...options }), () => gcsFormBases("HMAC"));
testForms("gcs/form, account", gcsFormVerifier({ keys: publicAccount, ...options }), () => gcsFormBases("account"));
