/** The one thing that every signer signs: a download of 15 minutes, from keys that look like keys. */
export const job = {
  bucket: "media",
  region: "eu-west-1",
  endpoint: "https://s3.eu-west-1.amazonaws.com",
  host: "s3.eu-west-1.amazonaws.com",
  expiresIn: 900,
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
  keys: Array.from({ length: 64 }, (_, at) => `talks/keynote-${at}.mp4`),
} as const;

/** The key of a turn. */
export function keyOf(turn: number): string {
  return job.keys[turn % 64] as string;
}

export const urlKey = {
  kty: "oct",
  alg: "HS256",
  kid: "k1",
  k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
} as const;

export const urlOrigin = "https://api.example.com";
