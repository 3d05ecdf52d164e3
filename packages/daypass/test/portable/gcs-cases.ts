import type { SignedRequest, WireRequest } from "../../src/core/contracts.ts";
import { gcsHmacSigner, gcsHmacVerifier, gcsVerifier } from "../../src/schemes/gcs/index.ts";
import { gcsV2HmacSigner, gcsV2HmacVerifier } from "../../src/schemes/gcs/v2/index.ts";
import type { Case } from "./cases.ts";

// The first of Google's vectors (test/gcs/vectors): the account's public key, and the URL that it signed.
const account = {
  client_email: "test-iam-credentials@dummy-project-id.iam.gserviceaccount.com",
  public_key: {
    kty: "RSA",
    n: "rD8zIqyKLbX0Nq8o0Jj1qHEhHhqO3-0OP7TEFx5Vxc6PdwBoFNrfnJRI_S-ZaDYS1avr5Pqpp8g8-UNOMvI1VsjGM8xjTaxkVv8mmKp6pSmQstTt25pzY1exA2wv4xNWSwWNFNx2kh35-kvTQ_DF3YA9P7pUU1sKur1PP8OoubWLFO59iy5UE5dX0O_3pjvZ2HAhSXsx2VWtB5nlrHR8FrKJNLJMEGEDSMz9yRfQaUeYCU9oDYHuiqKQ3rCXi6C82l-3FJw5_ggJ5y7iw8MErCFSslcYQRbBVz6ZYKWkEcJhs8BG3_16bfaqNusNlDIJ99I7DmipUngF_HEulYhfrQ",
    e: "AQAB",
  },
} as const;
const signature =
  "95e6a13d43a1d1962e667f17397f2b80ac9bdd1669210d5e08e0135df9dff4e56113485dbe429ca2266487b9d1796ebdee2d7cf682a6ef3bb9fbb4c351686fba90d7b621cf1c4eb1fdf126460dd25fa0837dfdde0a9fd98662ce60844c458448fb2b352c203d9969cb74efa4bdb742287744a4f2308afa4af0e0773f55e32e92973619249214b97283b2daa14195244444e33f938138d1e5f561088ce8011f4986dda33a556412594db7c12fc40e1ff3f1bedeb7a42f5bcda0b9567f17f65855f65071fabb88ea12371877f3f77f10e1466fff6ff6973b74a933322ff0949ce357e20abe96c3dd5cfab42c9c83e740a4d32b9e11e146f0eb3404d2e975896f74";
const target =
  "/test-bucket/test-object?X-Goog-Algorithm=GOOG4-RSA-SHA256" +
  "&X-Goog-Credential=test-iam-credentials%40dummy-project-id.iam.gserviceaccount.com%2F20190201%2Fauto%2Fstorage%2Fgoog4_request" +
  `&X-Goog-Date=20190201T090000Z&X-Goog-Expires=10&X-Goog-SignedHeaders=host&X-Goog-Signature=${signature}`;
const byGoogle = { method: "GET", target, authority: "storage.googleapis.com", headers: [] };

const hmacKey = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" };
const clock = () => new Date("2026-01-02T03:04:05Z");
const origins = ["https://storage.googleapis.com"];
const signed = (): SignedRequest =>
  gcsHmacSigner({ credentials: hmacKey, clock }).sign({ bucket: "b", object: "ü €/+", expiresIn: 900 });
const received = ({ url, method, headers }: SignedRequest): WireRequest => ({
  method,
  target: url.slice("https://storage.googleapis.com".length),
  authority: "storage.googleapis.com",
  headers: Object.entries(headers),
});

/** Cloud Storage wherever the library runs. */
export const gcsCases: readonly Case[] = [
  {
    name: "verifies Google's first vector by a JWK, and no changed one",
    async run() {
      const verifier = gcsVerifier({ keys: account, origins, clock: () => new Date("2019-02-01T09:00:05Z") });
      const grant = await verifier.verify(byGoogle);
      const changed = { ...byGoogle, target: target.replace("test-object", "test-objects") };
      const code = await verifier.verify(changed).catch((error: { code: string }) => error.code);
      return [grant.bucket, grant.object, code];
    },
    expected: ["test-bucket", "test-object", "SIGNATURE_MISMATCH"],
  },
  {
    name: "signs Cloud Storage V4 by HMAC as Python's hmac does, and verifies it",
    async run() {
      const link = signed();
      const grant = await gcsHmacVerifier({ keys: hmacKey, origins, clock }).verify(received(link));
      return [link.url.slice(-64), grant.id === link.id];
    },
    expected: ["98a97f25bcad72733aef3da8dd762cd59cecca60309523c5daf05988cae46caa", true],
  },
  {
    name: "signs Cloud Storage V2 by HMAC as Python's hmac does, and verifies it",
    async run() {
      const link = gcsV2HmacSigner({ credentials: hmacKey, clock }).sign({ bucket: "b", object: "o", expiresIn: 900 });
      const grant = await gcsV2HmacVerifier({ keys: hmacKey, origins, clock }).verify(received(link));
      return [link.url.replace(/^.*&Signature=/, ""), grant.id === link.id];
    },
    expected: ["78rNr%2BrjEg4CQj5CtazA173ptYw%3D", true],
  },
];
