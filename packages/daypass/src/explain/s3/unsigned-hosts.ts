/** A host of a provider's at which no signature fits that was made for it. */
interface UnsignedHost {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  /** Whether it passes on what is signed for the store behind it: a key that fits shows that it was. */
  readonly passesOn?: true;
}

const HOSTS: readonly (readonly [host: RegExp, told: UnsignedHost])[] = [
  [
    /\.cdn\.digitaloceanspaces\.com$/,
    {
      what: "the host of DigitalOcean's CDN",
      why: "requests the object from the store under the store's own name: sign for the host without cdn",
      fix: "Sign for the host without .cdn, and put the CDN's host into the URL afterwards. With the key, explain can tell whether it was.",
      passesOn: true,
    },
  ],
  [
    /\.r2\.dev$/,
    {
      what: "the public address of an R2 bucket",
      why: "does not accept signed requests",
      fix: "Sign for ACCOUNT.r2.cloudflarestorage.com, the only host at which R2 accepts signatures.",
    },
  ],
  [
    /^f\d{3}\.backblazeb2\.com$/,
    {
      what: "Backblaze's address for downloads by its own API",
      why: "does not accept S3 signatures",
      fix: "Sign for s3.REGION.backblazeb2.com.",
    },
  ],
];

/** What a host is that cannot be signed for. `undefined` for all others. */
export function unsignedHost(authority: string): UnsignedHost | undefined {
  const host = authority.replace(/:\d+$/, "").toLowerCase();
  return HOSTS.find(([pattern]) => pattern.test(host))?.[1];
}

/** The name by which the store is asked where clients ask another one: a CDN passes its own store's on. */
export function storeHost(authority: string): string {
  return authority.replace(/\.cdn(?=\.digitaloceanspaces\.com$)/, "");
}
