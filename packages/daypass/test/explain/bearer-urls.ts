import { createHash, createHmac, createSign } from "node:crypto";
import { rsaPrivateKey } from "../rsa-pair.ts";

/** An end for all that tell one, and the instant at which they are signed. */
export const END = 1_767_326_400;
export const SIGNED = 1_767_323_045;

const b64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const hmac = (hash: string, key: string, text: string) => createHmac(hash, key).update(text);

/** RFC 7519, by HMAC. */
export function jwt(claims: object): string {
  const text = `${b64url({ alg: "HS256", typ: "JWT" })}.${b64url(claims)}`;
  return `${text}.${hmac("sha256", "secret", text).digest("base64url")}`;
}

function rs256(claims: object): string {
  const text = `${b64url({ alg: "RS256", kid: "k1" })}.${b64url(claims)}`;
  return `${text}.${createSign("sha256").update(text).sign(rsaPrivateKey, "base64url")}`;
}

function railsMessage(hash: string, exp: string | null): string {
  const data = Buffer.from(JSON.stringify({ _rails: { message: "BAhpDg==", exp, pur: "blob_id" } })).toString("base64");
  return `${data}--${hmac(hash, "secret", data).digest("hex")}`;
}

/** `URLSafeTimedSerializer("secret").dumps({ id: 7 })` of itsdangerous. */
function timedToken(): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(SIGNED);
  const text = `${b64url({ id: 7 })}.${bytes.toString("base64url")}`;
  const key = createHash("sha1")
    .update("itsdangerous" + "signer" + "secret")
    .digest();
  return `${text}.${createHmac("sha1", key).update(text).digest("base64url")}`;
}

const md5 = (text: string): string => createHash("md5").update(text).digest("base64url");
const edgeAuth = (acl: string): string => {
  const text = `exp=${END}~acl=${acl}`;
  return `${text}~hmac=${createHmac("sha256", Buffer.from("00112233FF99", "hex")).update(text).digest("hex")}`;
};
const thumbor = hmac("sha1", "key", "300x200/smart/example.com/a.jpg")
  .digest("base64")
  .replaceAll("+", "-")
  .replaceAll("/", "_");
const hex = (seconds: number): string => seconds.toString(16);
const sig64 = hmac("sha256", "key", "x").digest("hex");
const opaque = hmac("sha512", "key", "opaque").digest("base64url");

export interface BearerUrl {
  readonly scheme: string;
  readonly url: string;
  /** Whether it tells {@link END}. */
  readonly ends: boolean;
  /** What opens it, and may stand in no text. */
  readonly secret: string;
}

const of = (scheme: string, url: string, secret: string, ends = true): BearerUrl => ({ scheme, url, secret, ends });
const withJwt = (scheme: string, before: string, token: string): BearerUrl => of(scheme, `${before}${token}`, token);

const supabase = "https://abcdefghijkl.supabase.co/storage/v1";
const claims = { iat: SIGNED, exp: END };
const message = railsMessage("sha256", new Date(END * 1000).toISOString());
const endless = railsMessage("sha1", null);

/** One of each, signed by the algorithm that its maker documents where there is one; Cloudinary's by its SDK, Django's by Django. */
export const BEARER_URLS: readonly BearerUrl[] = [
  withJwt("supabase", `${supabase}/object/sign/avatars/a%20b.png?token=`, jwt({ url: "avatars/a b.png", ...claims })),
  withJwt("supabase", `${supabase}/object/upload/sign/avatars/a.png?token=`, jwt({ url: "avatars/a.png", ...claims })),
  withJwt("supabase", `${supabase}/render/image/sign/avatars/a.png?token=`, jwt({ url: "avatars/a.png", ...claims })),
  of(
    "firebase",
    "https://firebasestorage.googleapis.com/v0/b/app.appspot.com/o/a.png?alt=media&token=0b6a5c4e-1111-4222-8333-444455556666",
    "0b6a5c4e-1111-4222-8333-444455556666",
    false,
  ),
  of("bunny/old", `https://hotel.b-cdn.net/a.png?token=${md5(`k/a.png${END}`)}&expires=${END}`, md5(`k/a.png${END}`)),
  of("token-and-end", `https://cdn.example.com/a.png?token=${md5(`k${END}`)}&expires=${END}`, md5(`k${END}`)),
  of(
    "cloudinary",
    "https://res.cloudinary.com/demo/image/authenticated/s--Eqn-gq05--/c_fill,w_300/sample.jpg?_a=BAMAROfk0",
    "Eqn-gq05",
    false,
  ),
  of(
    "cloudinary",
    "https://res.cloudinary.com/demo/image/upload/s--g1KK4hWZnUd2LT5ldwL6Maf8aoJaxq6l--/sample.jpg?_a=BAMAROfk0",
    "g1KK4hWZnUd2LT5ldwL6Maf8aoJaxq6l",
    false,
  ),
  of(
    "cloudinary/token",
    "https://res.cloudinary.com/demo/image/authenticated/sample.jpg?__cld_token__=st=1767322800~exp=1767326400~acl=%2fimage%2fauthenticated%2f*~hmac=2535d80378548e9af8db64a410c76403e4df9dd2ef8c249d066cad5b12d42e5b&_a=BAMAROfk0",
    "2535d80378548e9af8db64a410c76403e4df9dd2ef8c249d066cad5b12d42e5b",
  ),
  of(
    "cloudinary/download",
    "https://api.cloudinary.com/v1_1/demo/image/download?timestamp=1767323045&public_id=sample&format=jpg&type=private&expires_at=1767326400&signature=b8b73a2b62d3d6adcfb860aca7cbe9c019fba143&api_key=123456789012345",
    "b8b73a2b62d3d6adcfb860aca7cbe9c019fba143",
  ),
  withJwt("mux", "https://stream.mux.com/abc123.m3u8?token=", rs256({ sub: "abc123", aud: "v", exp: END, kid: "k1" })),
  ...[rs256({ sub: "5d5b", kid: "k1", exp: END })].map((token) =>
    of("cloudflare-stream", `https://customer-f33z.cloudflarestream.com/${token}/manifest/video.m3u8`, token),
  ),
  of("cloudflare-images", `https://imagedelivery.net/acc/img/public?exp=${END}&sig=${sig64}`, sig64),
  of(
    "akamai/path",
    `https://vod-adaptive-ak.vimeocdn.com/${edgeAuth("%2Fab-cd%2F%2A")}/ab-cd/playlist.m3u8`,
    edgeAuth("%2Fab-cd%2F%2A").slice(-64),
  ),
  of(
    "imagekit",
    `https://ik.imagekit.io/demo/a.jpg?ik-t=${END}&ik-s=${"0123456789".repeat(4)}`,
    "0123456789".repeat(4),
  ),
  of("thumbor", `https://thumbs.example.com/${thumbor}/300x200/smart/example.com/a.jpg`, thumbor.slice(0, -1), false),
  of("keycdn", `https://x-1.kxcdn.com/a.mp4?token=${md5(`/a.mp4k${END}`)}&expire=${END}`, md5(`/a.mp4k${END}`)),
  of("cdn77", `https://1234.rsc.cdn77.org/a.png?secure=${md5("a")},${END}`, md5("a")),
  of("cdn77", `https://1234.rsc.cdn77.org/${md5("a")},${END}/a.png`, md5("a")),
  of("jwplayer", `https://cdn.jwplayer.com/manifests/x.m3u8?exp=${END}&sig=${"0a".repeat(16)}`, "0a".repeat(16)),
  withJwt("github", "https://private-user-images.githubusercontent.com/1/2-3.png?jwt=", jwt({ key: "k", exp: END })),
  of(
    "github",
    "https://raw.githubusercontent.com/o/r/main/a.txt?token=GHSAT0AAAAAACABCDEFGHIJKLMNOPQRSTUVW",
    "GHSAT0AAAAAACABCDEFGHIJKLMNOPQRSTUVW",
    false,
  ),
  of(
    "github",
    `https://release-assets.githubusercontent.com/github-production-release-asset/1/2?sp=r&sv=2018-11-09&sr=b&spr=https&se=2026-01-02T04%3A00%3A00Z&rscd=attachment&skoid=96c2&sig=${encodeURIComponent(Buffer.alloc(32, 251).toString("base64"))}&jwt=${jwt({ key: "k", exp: END })}`,
    jwt({ key: "k", exp: END }),
  ),
  of("slack", "https://files.slack.com/files-pri/T1-F1/a.png?pub_secret=0123456789", "0123456789", false),
  of(
    "discord",
    `https://cdn.discordapp.com/attachments/1/2/a.png?ex=${hex(END)}&is=${hex(SIGNED)}&hm=${sig64}&`,
    sig64,
  ),
  of(
    "meta",
    `https://scontent.xx.fbcdn.net/v/t39/a.jpg?_nc_cat=1&oh=00_${opaque.slice(0, 40)}&oe=${hex(END).toUpperCase()}`,
    opaque.slice(0, 40),
  ),
  of(
    "googlevideo",
    `https://rr1---sn-a.googlevideo.com/videoplayback?expire=${END}&ip=203.0.113.9&itag=18&sparams=expire%2Cip&sig=${opaque}&lsig=${opaque}`,
    opaque,
  ),
  of(
    "notion",
    `https://file.notion.so/f/f/1/2/a.pdf?table=block&expirationTimestamp=${END}000&signature=${opaque}`,
    opaque,
  ),
  of(
    "dropbox",
    "https://www.dropbox.com/scl/fi/abc/a.pdf?rlkey=0123456789abcdefghijklmno&st=x&dl=0",
    "0123456789abcdefghijklmno",
    false,
  ),
  of("dropbox", `https://uc1.dl.dropboxusercontent.com/cd/0/get/${opaque}/file`, opaque, false),
  withJwt(
    "sharepoint",
    "https://acme-my.sharepoint.com/personal/a/_layouts/15/download.aspx?UniqueId=1&tempauth=v1.",
    jwt({ exp: END }),
  ),
  withJwt("zoom", "https://us02web.zoom.us/rec/download/abc?access_token=", jwt({ exp: END })),
  of(
    "docker",
    `https://production.cloudflare.docker.com/registry-v2/docker/registry/v2/blobs/sha256/ab/abcd/data?expires=${END}&signature=${opaque}%3D&version=2`,
    opaque,
  ),
  of("b2", `https://f004.backblazeb2.com/file/media/a.mp4?Authorization=3_20260102_${opaque}`, opaque, false),
  of(
    "linkedin",
    `https://media.licdn.com/dms/image/a/profile?e=${END}&v=beta&t=${opaque.slice(0, 43)}`,
    opaque.slice(0, 43),
  ),
  withJwt("contentful", "https://images.secure.ctfassets.net/s/a/b/c.png?token=", jwt({ exp: END })),
  of(
    "aws/console",
    `https://signin.aws.amazon.com/federation?Action=login&Issuer=x&Destination=https%3A%2F%2Fconsole.aws.amazon.com%2F&SigninToken=${opaque}`,
    opaque,
    false,
  ),
  of("aws/sagemaker", `https://d-abc.studio.eu-west-1.sagemaker.aws/auth?token=${opaque}`, opaque, false),
  of("aws/sagemaker", `https://nb.notebook.eu-west-1.sagemaker.aws?authToken=${opaque}`, opaque, false),
  of(
    "aws/quicksight",
    `https://eu-west-1.quicksight.aws.amazon.com/embed/abc/dashboards/1?code=${opaque}&identityprovider=quicksight&isauthcode=true`,
    opaque,
    false,
  ),
  of(
    "aws/kinesisvideo",
    `https://b-8717.kinesisvideo.eu-west-1.amazonaws.com/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=${opaque}`,
    opaque,
    false,
  ),
  ...[
    Buffer.from(
      JSON.stringify({ host: "x.appsync-api.eu-west-1.amazonaws.com", Authorization: jwt({ exp: END }) }),
    ).toString("base64"),
  ].map((header) =>
    of(
      "aws/appsync",
      `wss://x.appsync-realtime-api.eu-west-1.amazonaws.com/graphql?header=${encodeURIComponent(header)}&payload=e30=`,
      header,
    ),
  ),
  of("rails/active-storage", `https://app.example.com/rails/active_storage/blobs/redirect/${message}/a.png`, message),
  of(
    "rails/active-storage",
    `https://app.example.com/rails/active_storage/disk/${encodeURIComponent(message)}/a.png`,
    encodeURIComponent(message),
  ),
  of("rails/message", `https://app.example.com/unsubscribe?id=${endless}`, endless, false),
  of(
    "django",
    "https://app.example.com/confirm/user@example.com:1vbVSP:0dvNDKV3jerkaSEqEutsB_XSv5uG-hnbXLXPSfC4I98/",
    "0dvNDKV3jerkaSEqEutsB_XSv5uG-hnbXLXPSfC4I98",
    false,
  ),
  of(
    "django",
    "https://app.example.com/join?t=eyJpZCI6N30%3A1vbVSP%3A_79ZdZ81H5dkQimylJ0IAMUKbQi_559IP2-ea5a9Z4I",
    "_79ZdZ81H5dkQimylJ0IAMUKbQi_559IP2-ea5a9Z4I",
    false,
  ),
  of("itsdangerous", `https://app.example.com/reset/${timedToken()}`, timedToken().slice(-27), false),
  withJwt("jwt", "https://files.example.com/a.pdf?auth=", jwt({ sub: "u", exp: END })),
];
