import { fromBase64 } from "../../wire/encoding.ts";
import { decodeOr } from "../decoded.ts";
import type { BearerKind, BearerView } from "./kind.ts";
import {
  base62Seconds,
  byteSeconds,
  claimsOf,
  hexSeconds,
  isoInstant,
  JWT,
  jsonOf,
  milliseconds,
  seconds,
  timesOfEdgeAuth,
  timesOfJwt,
  timesOfRails,
  timesOfTempauth,
} from "./reading.ts";

// The session tokens of MinIO are such tokens: what they stand in is a store's URL, whatever has happened to its other names.
const JWT_IN_QUERY = new RegExp(`[?&](?![xX]-[aA][mM][zZ]-)[\\w-]{1,40}=(${JWT})(?:&|$)`);
const TOKEN_IN_QUERY = new RegExp(`[?&]token=(${JWT})(?:&|$)`);
const IN_PATH = new RegExp(`/(${JWT})(?:[/?]|$)`);
// Base64 of JSON or of Ruby's own form, with its padding as it is or escaped, and an HMAC in hexadecimal. A name with a hash behind it is none.
const RAILS = /(?:eyJ|BAh|Ii)[\w+%-]{5,}={0,2}--(?:[0-9a-f]{64}|[0-9a-f]{40})/.source;
const RAILS_PATH = new RegExp(`^(?:/[^/?]+){0,3}?/rails/active_storage/(?:[\\w-]+/){1,3}?(${RAILS})(?:[/?]|$)`);
const RAILS_MESSAGE = new RegExp(`[=/](${RAILS})(?:[/?&]|$)`);
/** The methods of what only its server knows. */
const untold = (): undefined => undefined;
const SECRET_OF_MAKER = "the key is a secret of whoever signed";

const parameter =
  (name: string) =>
  (view: BearerView): readonly string[] => [view.parameter(name)];

/** A token of Supabase Storage is for one object, by its name. */
function supabaseCause({ path, parameter }: BearerView): ReturnType<NonNullable<BearerKind["cause"]>> {
  const { url } = claimsOf(parameter("token"));
  const asked = decodeOr(path.replace(/^.*?\/(?:object|render\/image)\/(?:upload\/)?sign\//, ""));
  if (typeof url !== "string" || url === asked) return undefined;
  return {
    code: "PATH",
    sentence: `The token is for ${url}, but the URL asks for ${asked}.`,
    evidence: [],
    fix: "Ask for a new URL of this object: a token is for one object only.",
  };
}

/** The order counts: the first that fits is told. Those with hosts of their own come before every scheme, the others behind all. */
export const BEARER_KINDS: readonly BearerKind[] = [
  {
    // https://supabase.com/docs/guides/storage/serving/downloads, supabase/storage src/http/routes/object; the two keys: its
    // src/internal/auth/jwt.ts (signJWT) and jwks/manager.ts
    scheme: "supabase",
    form: /^\/(?:storage\/v1\/)?(?:object\/(?:upload\/)?sign|render\/image\/sign)\/[^?]+\?(?:.*&)?token=eyJ/,
    what: "A signed URL of Supabase Storage",
    signedBy: "the project's key for URLs, which the token's header names (kid), or its JWT secret",
    methods: ({ path }) => (path.includes("/upload/sign/") ? ["PUT"] : ["GET", "HEAD"]),
    secrets: parameter("token"),
    times: ({ parameter }) => timesOfJwt(parameter("token")),
    ends: "with that key: a new JWT secret ends only tokens whose header names no key",
    binds: ["object", "end", "transformation, where it has one"],
    leavesOpen: ["scheme and host", "the other parameters (download)", "headers"],
    cause: supabaseCause,
    check:
      "its token is a JSON Web Token, HS512 with the project's key for URLs or, where its header names no key, HS256 with its JWT secret",
  },
  {
    // https://firebase.google.com/docs/storage/web/download-files
    scheme: "firebase",
    hosts: /^firebasestorage\.googleapis\.com$/,
    form: /^\/v0\/b\/[^?]*\?(?:.*&)?token=[\w-]{8,}/,
    what: "Firebase's address of an object with its download token",
    signedBy: "nobody: it is not a signature",
    secrets: parameter("token"),
    ends: "when the token is replaced in the object's metadata (firebaseStorageDownloadTokens): it has no expiry of its own",
    binds: ["object"],
    check: "the token is a random value in the object's metadata",
  },
  {
    // https://docs.bunny.net/docs/cdn-token-authentication-basic, and the older form of -advanced
    scheme: "bunny/old",
    hosts: /\.b-cdn\.net$/,
    form: /[?&/](?:bcdn_)?token=[\w-]{22}(?:[\w-]{21})?=*(?:&|\/|$)/,
    what: "A token of Bunny's CDN of an older kind (MD5 or SHA-256 over the key)",
    signedBy: "the pull zone's security key",
    secrets: ({ found }) => [found(/[?&/](?:bcdn_)?token=([^&/]*)/)],
    times: ({ found }) => ({ endsAt: seconds(found(/[?&]expires=(\d{10})(?:&|\/|$)/)) }),
    ends: "with the pull zone's security key",
    binds: ["path, or its beginning (token_path)", "end"],
    check:
      "Daypass signs and checks the newer ones, which begin with HS256-: sign with HMAC-SHA256, as Bunny's documentation has it",
  },
  {
    // https://cloudinary.com/documentation/control_access_to_media#token_based_authentication_premium_feature
    scheme: "cloudinary/token",
    form: /[?&]__cld_token__=[^&]*~hmac=[0-9a-f]{32}/,
    what: "A token of Cloudinary's (in the form of Akamai's)",
    signedBy: "the account's token key",
    secrets: parameter("__cld_token__"),
    times: ({ parameter }) => timesOfEdgeAuth(parameter("__cld_token__")),
    ends: "with the account's token key",
    binds: ["path, or a pattern of paths (acl)", "begin and end"],
    check: "rename it to __token__ and it can be checked as Akamai's, with the token key",
  },
  {
    // https://cloudinary.com/documentation/delivery_url_signatures: eight characters, or 32 of SHA-256
    scheme: "cloudinary",
    form: /^(?:\/[^/?]+){1,4}?\/s--(?:[\w-]{8}|[\w-]{32})--\//,
    what: "A signed delivery URL of Cloudinary",
    signedBy: "the account's API secret",
    secrets: ({ found }) => [`s--${found(/\/s--([\w-]{8,32})--\//)}--`],
    ends: "with the API secret alone: it has no end",
    binds: ["transformation", "name and format of the file"],
    leavesOpen: ["scheme and host", "query"],
    check: SECRET_OF_MAKER,
  },
  {
    // https://cloudinary.com/documentation/control_access_to_media#providing_time_limited_access_to_private_media_assets
    scheme: "cloudinary/download",
    hosts: /^api(?:-[a-z]+)?\.cloudinary\.com$/,
    form: /[?&]signature=[0-9a-f]{40,64}(?:&|$)/,
    what: "A private download URL of Cloudinary",
    signedBy: "the account's API secret",
    secrets: parameter("signature"),
    times({ parameter }) {
      const signedAt = seconds(parameter("timestamp"));
      // An hour, where it says nothing else.
      const endsAt = seconds(parameter("expires_at")) ?? (signedAt && new Date(signedAt.getTime() + 3_600_000));
      return { signedAt, endsAt };
    },
    ends: "with the account's API secret",
    binds: ["all parameters but api_key"],
    check: SECRET_OF_MAKER,
  },
  {
    // https://www.mux.com/docs/guides/secure-video-playback
    scheme: "mux",
    hosts: /^(?:stream|image|stats)\.mux\.com$/,
    form: TOKEN_IN_QUERY,
    what: "A signed playback URL of Mux",
    signedBy: "a signing key of the environment (kid)",
    secrets: parameter("token"),
    times: ({ parameter }) => timesOfJwt(parameter("token")),
    ends: "when the signing key is deleted",
    binds: ["playback id (sub)", "kind of use (aud: v, t, g, s)", "end"],
    check: "its token is a JSON Web Token (RS256), and Mux holds the public key",
    cause({ host, path, parameter }) {
      // Its path names no playback id.
      if (host === "stats.mux.com") return undefined;
      const { sub } = claimsOf(parameter("token"));
      const asked = /^\/([^/.]+)/.exec(path)?.[1] ?? "";
      return typeof sub !== "string" || sub === asked
        ? undefined
        : {
            code: "PATH",
            sentence: `The token is for the playback id ${sub}, but the URL asks for ${asked}.`,
            evidence: [],
            fix: "Sign a token for this playback id (sub).",
          };
    },
  },
  {
    // https://developers.cloudflare.com/stream/viewing-videos/securing-your-stream/
    scheme: "cloudflare-stream",
    hosts: /^customer-[a-z0-9]+\.cloudflarestream\.com$|(?:^|\.)videodelivery\.net$/,
    form: IN_PATH,
    what: "A signed URL of Cloudflare Stream (the token stands in the place of the video's id)",
    signedBy: "a signing key of the account (kid)",
    secrets: ({ found }) => [found(IN_PATH)],
    times: ({ found }) => timesOfJwt(found(IN_PATH)),
    ends: "when the signing key is revoked",
    binds: ["video (sub)", "begin and end", "rules for addresses and countries, where it has them (accessRules)"],
    leavesOpen: ["scheme", "headers", "who uses it, from where (without accessRules), and how often"],
    check: "its token is a JSON Web Token (RS256) of the account's signing key",
  },
  {
    // https://developers.cloudflare.com/images/manage-images/serve-images/serve-private-images/
    scheme: "cloudflare-images",
    hosts: /^imagedelivery\.net$/,
    form: /[?&]sig=[0-9a-f]{64}(?:&|$)/,
    what: "A signed URL of Cloudflare Images",
    signedBy: "the account's key for images",
    secrets: parameter("sig"),
    times: ({ parameter }) => ({ endsAt: seconds(parameter("exp")) }),
    ends: "when the account's key is replaced",
    binds: ["path", "query (end)"],
    check: SECRET_OF_MAKER,
  },
  {
    // The token of https://github.com/akamai/EdgeAuth-Token-Node, with the path behind it: as Vimeo's players ask for it
    scheme: "akamai/path",
    form: /^\/(?:[^/?]+\/)?(?:st=\d{1,11}~)?exp=\d{10}~(?:acl|url|data|id)=[^/?]*~hmac=[0-9a-f]{32}/,
    what: "An Akamai EdgeAuth token in the path, as Vimeo has it",
    signedBy: "the property's key",
    secrets: ({ found }) => [found(/~hmac=([0-9a-f]{32,64})/)],
    times: ({ found }) => timesOfEdgeAuth(found(/^\/(?:[^/?]+\/)?((?:st|exp)=[^/?]*)/)),
    ends: "with the property's key",
    binds: ["path, or a pattern of paths (acl)", "end"],
    check: "as a parameter __token__ it can be checked, with the key",
  },
  {
    // https://imagekit.io/docs/media-delivery-basic-security
    scheme: "imagekit",
    form: /[?&]ik-s=[0-9a-f]{40}(?:&|$)/,
    what: "A signed URL of ImageKit",
    signedBy: "the account's private key",
    secrets: parameter("ik-s"),
    times: ({ parameter }) => (parameter("ik-t") === "9999999999" ? {} : { endsAt: seconds(parameter("ik-t")) }),
    ends: "with the account's private key",
    binds: ["path and query", "end (ik-t)"],
    check: SECRET_OF_MAKER,
  },
  {
    // https://thumbor.readthedocs.io/en/latest/security.html: HMAC-SHA1 in base64url, with its padding
    scheme: "thumbor",
    form: /^\/(?:[^/?]+\/)?[\w-]{27}=\/./,
    what: "A signed URL of thumbor (or of the compatible imagor)",
    signedBy: "the server's security key",
    secrets: ({ found }) => [found(/^\/(?:[^/?]+\/)?([\w-]{27}=)\//)],
    ends: "only with the server's security key: it does not expire",
    binds: ["options", "address of the image"],
    leavesOpen: ["scheme and host", "query"],
    check: SECRET_OF_MAKER,
  },
  {
    // https://www.keycdn.com/support/secure-token
    scheme: "keycdn",
    form: /[?&]token=[\w-]{22}={0,2}&expire=\d{10}(?:&|$)/,
    what: "A token in the form of KeyCDN's secure tokens",
    signedBy: "whoever has the key (of KeyCDN the zone's secret)",
    secrets: parameter("token"),
    times: ({ parameter }) => ({ endsAt: seconds(parameter("expire")) }),
    ends: "with the key",
    binds: ["path, or its folder", "end"],
    leavesOpen: ["scheme and host", "all other parameters"],
    traps: [
      {
        name: "shared-form",
        text: "Other servers use this form, too. If it is nginx's secure_link, its key with these names (parameters) shows it.",
      },
    ],
    check: "it is MD5 over path, secret and end: nginx' secure_link can be set up to the same",
  },
  {
    // https://client.cdn77.com/support/knowledgebase/cdn-resource/how-do-i-set-up-signed-urls
    scheme: "cdn77",
    form: /[?&]secure=[\w-]{22}(?:==)?(?:,|%2C)\d{10}(?:&|$)|^\/[\w-]{22}(?:==)?,\d{10}\//i,
    what: "A secure token of CDN77",
    signedBy: "the resource's token",
    secrets: ({ found }) => [found(/(?:[?&]secure=|^\/)([\w-]{22})/)],
    times: ({ found }) => ({ endsAt: seconds(found(/(?:,|%2C)(\d{10})(?:[&/]|$)/i)) }),
    ends: "with the resource's token",
    binds: ["path", "end"],
    leavesOpen: ["scheme and host", "all other parameters"],
    check: "it is MD5 over end, path and secret",
  },
  {
    // https://docs.jwplayer.com/platform/docs/protection-studio-token-signing
    scheme: "jwplayer",
    hosts: /^(?:cdn\.jwplayer\.com|content\.jwplatform\.com)$/,
    form: /[?&]sig=[0-9a-f]{32}(?:&|$)/,
    what: "A signed URL of JW Player",
    signedBy: "the property's secret",
    secrets: parameter("sig"),
    times: ({ parameter }) => ({ endsAt: seconds(parameter("exp")) }),
    ends: "with the property's secret",
    binds: ["path", "end"],
    check: "it is MD5 over path, end and secret",
  },
  {
    // Known by use: jwt tells its end; the SAS of a release is made for a storage account behind the host.
    scheme: "github",
    hosts: /^(?:raw|media|private-user-images|release-assets|codeload)\.github(?:usercontent)?\.com$/,
    form: /[?&](?:token|jwt|sig)=[\w%.~-]{16,}/,
    what: "A temporary address of GitHub's",
    signedBy: "GitHub",
    secrets: ({ parameter }) => [
      parameter("token"),
      parameter("jwt"),
      parameter("sig"),
      parameter("se") === "" ? "" : parameter("skoid"),
    ],
    times: ({ parameter }) => {
      const jwt = timesOfJwt(parameter("jwt"));
      return jwt.endsAt === undefined ? { endsAt: isoInstant(parameter("se")) } : jwt;
    },
    ends: "when GitHub says so: the token does not show it",
    binds: ["file", "end, where it tells one"],
    check:
      "whoever has access to the repository gets a new one; if it contains a SAS, its host is not the one that was signed",
  },
  {
    // https://docs.slack.dev/reference/methods/files.sharedPublicURL, https://slack.com/help/articles/220556107
    scheme: "slack",
    hosts: /^files\.slack\.com$/,
    form: /[?&](?:pub_secret=[0-9a-f]{8,}|t=xox[a-z]-)/,
    what: "An address of a file of Slack's with its secret",
    signedBy: "Slack",
    secrets: ({ parameter }) => [parameter("pub_secret"), parameter("t")],
    ends: "when the file's public link is revoked, or the token of the export",
    binds: ["file (of an export's token: all files)"],
    check: "the secret is a random value that only Slack knows",
  },
  {
    // https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
    scheme: "discord",
    hosts: /^(?:cdn\.discordapp\.com|media\.discordapp\.net)$/,
    form: /[?&]hm=[0-9a-f]{64}(?:&|$)/,
    what: "A signed address of an attachment of Discord's",
    signedBy: "Discord",
    secrets: parameter("hm"),
    times: ({ parameter }) => ({ signedAt: hexSeconds(parameter("is")), endsAt: hexSeconds(parameter("ex")) }),
    ends: "when Discord says so",
    binds: ["path", "end (ex)", "instant of issue (is)"],
    check: "a client of Discord's, or its API (refresh-urls), hands out a new one",
  },
  {
    // The names are known by use, and nowhere documented: oe is the end in hexadecimal.
    scheme: "meta",
    hosts: /\.(?:fbcdn\.net|cdninstagram\.com)$/,
    form: /[?&]oh=[\w-]{20,}(?:&|$)/,
    what: "A signed address of Facebook's or Instagram's CDN",
    signedBy: "Meta",
    secrets: parameter("oh"),
    times: ({ parameter }) => ({ endsAt: hexSeconds(parameter("oe")) }),
    ends: "when Meta says so",
    binds: ["path", "end (oe)"],
    check: "only Meta has the key",
  },
  {
    // The names are known by use (yt-dlp); sparams names the parameters that are signed.
    scheme: "googlevideo",
    hosts: /\.(?:googlevideo\.com|c\.youtube\.com)$/,
    form: /[?&/](?:sig|lsig)[=/][\w%=-]{20,}/,
    what: "A signed address of a stream of YouTube's",
    signedBy: "Google",
    secrets: ({ found }) => [found(/[?&/]sig[=/]([^&/]*)/), found(/[?&/]lsig[=/]([^&/]*)/)],
    times: ({ found }) => ({ endsAt: seconds(found(/[?&/]expire[=/](\d{10})/)) }),
    ends: "when Google says so",
    binds: ["what sparams names: the client's address (ip), the end (expire), the format (itag)"],
    leavesOpen: ["what sparams does not name"],
    traps: [
      {
        name: "bound-to-address",
        text: "It is for the address in it (ip): from any other the answer is 403.",
        has: ({ found }) => found(/[?&/]ip[=/]([^&/]+)/) !== "",
      },
    ],
    check: "only Google has the key",
  },
  {
    // Known by use.
    scheme: "notion",
    hosts: /^file\.notion\.so$/,
    form: /[?&]signature=[\w-]{20,}/,
    what: "A signed address of a file of Notion's",
    signedBy: "Notion",
    secrets: parameter("signature"),
    times: ({ parameter }) => ({ endsAt: milliseconds(parameter("expirationTimestamp")) }),
    ends: "when Notion says so",
    binds: ["file", "end"],
    check: "only Notion has the key; its API hands out a new address",
  },
  {
    // https://www.dropbox.com/developers/documentation/http/documentation#files-get_temporary_link (four hours)
    scheme: "dropbox",
    hosts: /^(?:www\.dropbox\.com|dl\.dropboxusercontent\.com|[a-z0-9-]+\.dl\.dropboxusercontent\.com)$/,
    form: /[?&]rlkey=[a-z0-9]{10,}|^\/cd\/0\/(?:get|inline2?)\/[\w-]{20,}/,
    what: "A link of Dropbox's with its key",
    signedBy: "Dropbox",
    secrets: ({ parameter, found }) => [parameter("rlkey"), found(/^\/cd\/0\/[a-z0-9]+\/([\w-]{20,})/)],
    ends: "when the link is deleted or at the expiry its owner set; a temporary link (/cd/0/get/) after four hours",
    binds: ["file or folder"],
    check: "only Dropbox knows the key",
  },
  {
    // https://learn.microsoft.com/en-us/graph/api/driveitem-get-content (pre-authenticated, short-lived), …-createuploadsession
    scheme: "sharepoint",
    hosts: /\.sharepoint(?:-df)?\.(?:com|us|cn|de)$/,
    form: /[?&]tempauth=[^&]{20,}/i,
    what: "A pre-authenticated URL of SharePoint or OneDrive (of a download, or of an upload's session)",
    signedBy: "Microsoft",
    methods: ({ path }) => (/\/uploadSession$/i.test(path) ? ["PUT", "GET", "DELETE"] : ["GET", "HEAD"]),
    secrets: parameter("tempauth"),
    times: ({ parameter }) => timesOfTempauth(parameter("tempauth")),
    ends: "within about an hour, the session of an upload when it is done or has expired",
    binds: ["file"],
    check:
      "only Microsoft has the key; ask Graph for the item again (@microsoft.graph.downloadUrl), and send no Authorization with it",
  },
  {
    // https://developers.zoom.us/docs/api/rest/reference/zoom-api/ (download_access_token)
    scheme: "zoom",
    hosts: /(?:^|\.)zoom\.us$/,
    form: new RegExp(`^/rec/[^?]*\\?(?:.*&)?access_token=${JWT}`),
    what: "A download URL of a recording of Zoom's",
    signedBy: "Zoom",
    secrets: parameter("access_token"),
    times: ({ parameter }) => timesOfJwt(parameter("access_token")),
    ends: "with the token",
    binds: ["what the token names"],
    check: "only Zoom has the key",
  },
  {
    // Known by use: the registry redirects a pull to it. The key is Docker's.
    scheme: "docker",
    hosts: /^production\.cloudflare\.docker\.com$/,
    form: /[?&]expires=\d{10}&signature=[^&]{20,}/,
    what: "An address of a layer of Docker Hub's",
    signedBy: "Docker",
    secrets: parameter("signature"),
    times: ({ parameter }) => ({ endsAt: seconds(parameter("expires")) }),
    ends: "when Docker says so",
    binds: ["path", "end"],
    check: "the registry hands out a new one with each pull; an Authorization header beside it is refused",
  },
  {
    // https://www.backblaze.com/apidocs/b2-get-download-authorization
    scheme: "b2",
    hosts: /^f\d{3}\.backblazeb2\.com$/,
    form: /[?&]Authorization=[\w%.=-]{16,}/,
    what: "A download authorization of Backblaze B2",
    signedBy: "B2",
    secrets: parameter("Authorization"),
    ends: "at the latest a week after it was made (validDurationInSeconds, which it does not show)",
    binds: [
      "bucket",
      "beginning of the name (fileNamePrefix)",
      "b2ContentDisposition and its like, where they were asked for",
    ],
    check: "only B2 knows it",
  },
  {
    // Known by use: e is the end.
    scheme: "linkedin",
    hosts: /^media(?:-exp\d)?\.licdn\.com$/,
    form: /[?&]t=[\w-]{20,}(?:&|$)/,
    what: "A signed address of LinkedIn's CDN",
    signedBy: "LinkedIn",
    secrets: parameter("t"),
    times: ({ parameter }) => ({ endsAt: seconds(parameter("e")) }),
    ends: "when LinkedIn says so",
    binds: ["path", "end (e)"],
    check: "only LinkedIn has the key",
  },
  {
    // https://www.contentful.com/developers/docs/references/embargoed-assets/
    scheme: "contentful",
    hosts: /\.secure\.ctfassets\.net$/,
    form: TOKEN_IN_QUERY,
    what: "A signed address of an embargoed asset of Contentful's",
    signedBy: "an asset key of the environment",
    secrets: parameter("token"),
    times: ({ parameter }) => timesOfJwt(parameter("token")),
    ends: "with the asset key, after two days at most",
    binds: ["path", "end"],
    check: "its token is a JSON Web Token (HS256) of the asset key's secret",
  },
  {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
    scheme: "aws/console",
    hosts: /(?:^|\.)signin\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)$/,
    form: /^\/federation\?(?:.*&)?SigninToken=[^&]{20,}/i,
    what: "A sign-in URL of the AWS console (federation)",
    signedBy: "AWS",
    secrets: parameter("SigninToken"),
    ends: "fifteen minutes after its SigninToken was made, a time it does not show",
    binds: ["the session: role, its policies, its duration"],
    traps: [
      {
        name: "opens-a-session",
        text: "Whoever opens it is signed in as its session, which outlives the link.",
      },
    ],
    check: "only AWS knows the token",
  },
  {
    // https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePresignedDomainUrl.html, …NotebookInstanceUrl.html
    scheme: "aws/sagemaker",
    hosts: /\.(?:studio|notebook)\.[a-z0-9-]+\.sagemaker\.aws$/,
    form: /[?&](?:token|authToken)=[^&]{20,}/,
    what: "A sign-in URL of SageMaker (Studio or a notebook)",
    signedBy: "AWS",
    secrets: ({ parameter }) => [parameter("token"), parameter("authToken")],
    ends: "five minutes after it was made, unless a shorter lifetime was requested; it does not show when",
    binds: ["the session: domain and profile, or notebook"],
    check: "only AWS knows the token; request a new one each time, and open it at once",
  },
  {
    // https://docs.aws.amazon.com/quicksight/latest/APIReference/API_GenerateEmbedUrlForRegisteredUser.html
    scheme: "aws/quicksight",
    hosts: /\.quicksight\.aws\.amazon\.com$/,
    form: /^\/embed\/[^?]*\?(?:.*&)?code=[^&]{20,}/,
    what: "An embedding URL of QuickSight",
    signedBy: "AWS",
    secrets: parameter("code"),
    ends: "five minutes after it was made, or with its first use, whichever comes first",
    binds: ["the session: dashboard or console, and user", "one use"],
    leavesOpen: ["scheme", "headers", "who uses it, and from where"],
    check: "only AWS knows the code; reloading the page needs a new one, and its domain must be allowed",
  },
  {
    // https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/API_reader_GetHLSStreamingSessionURL.html
    scheme: "aws/kinesisvideo",
    hosts: /\.kinesisvideo\.[a-z0-9-]+\.amazonaws\.com$/,
    form: /[?&]SessionToken=[^&]{20,}/,
    what: "A session of Kinesis Video Streams (HLS, DASH)",
    signedBy: "AWS",
    secrets: parameter("SessionToken"),
    ends: "with the session: five minutes to twelve hours, which it does not show",
    binds: ["stream", "times that were asked for"],
    check: "only AWS knows the token",
  },
  {
    // https://docs.aws.amazon.com/appsync/latest/devguide/real-time-websocket-client.html
    scheme: "aws/appsync",
    hosts: /\.appsync-realtime-api\.[a-z0-9-]+\.amazonaws\.com$/,
    form: /[?&]header=eyJ/,
    what: "A WebSocket of AppSync (real time)",
    signedBy: "whoever is named in its header parameter",
    methods: ["GET"],
    secrets: parameter("header"),
    times({ parameter }) {
      const { Authorization: login } = jsonOf(fromBase64(parameter("header")));
      return typeof login === "string" ? timesOfJwt(login.replace(/^Bearer /, "")) : {};
    },
    ends: "with what is in its header parameter: an API key or a user pool login, each with its own expiry",
    binds: ["host"],
    traps: [
      {
        name: "holds-a-login",
        text: "header is base64, not a signature: whoever has the URL can read the API key, the login or the signed headers in it.",
      },
    ],
    check:
      "host in its header parameter is that of the API (appsync-api), and not of the WebSocket (appsync-realtime-api)",
  },
  {
    // https://guides.rubyonrails.org/active_storage_overview.html, ActiveSupport::MessageVerifier
    scheme: "rails/active-storage",
    form: RAILS_PATH,
    what: "A signed address of Rails' Active Storage",
    signedBy: "the application's secret_key_base",
    // The service on a disk takes an upload where no name stands behind the message.
    methods: ({ path }) => (/\/active_storage\/disk\/[^/]+$/.test(path) ? ["PUT"] : ["GET", "HEAD"]),
    secrets: ({ found }) => [found(RAILS_PATH)],
    times: ({ found }) => timesOfRails(decodeOr(found(RAILS_PATH).replace(/--[0-9a-f]+$/, ""))),
    ends: "with secret_key_base",
    binds: ["blob, or the service's key of it", "end and purpose, where it has them"],
    leavesOpen: ["scheme and host", "name of the file behind it", "who uses it, from where, and how often"],
    check: SECRET_OF_MAKER,
  },
  {
    // https://api.rubyonrails.org/classes/ActiveSupport/MessageVerifier.html: base64, --, HMAC in hexadecimal
    scheme: "rails/message",
    form: RAILS_MESSAGE,
    what: "A URL with a message signed by Rails' MessageVerifier (signed_id, GlobalID)",
    signedBy: "the application's secret_key_base",
    methods: untold,
    secrets: ({ found }) => [found(RAILS_MESSAGE)],
    times: ({ found }) => timesOfRails(decodeOr(found(RAILS_MESSAGE).replace(/--[0-9a-f]+$/, ""))),
    ends: "with secret_key_base",
    binds: ["the message alone, and not the URL around it"],
    check: SECRET_OF_MAKER,
  },
  {
    // https://docs.djangoproject.com/en/stable/topics/signing/: value, seconds in base 62, HMAC-SHA256 in base64url
    scheme: "django",
    form: /[=/][^/?&#:=]{1,2000}(?::|%3A)[0-9A-Za-z]{6}(?::|%3A)[\w-]{43}(?:[/?&]|$)/i,
    what: "A URL with a value signed by Django's TimestampSigner",
    signedBy: "the application's SECRET_KEY",
    methods: untold,
    secrets: ({ found }) => [found(/(?::|%3A)[0-9A-Za-z]{6}(?::|%3A)([\w-]{43})(?:[/?&]|$)/i)],
    times: ({ found }) => ({
      signedAt: base62Seconds(found(/(?::|%3A)([0-9A-Za-z]{6})(?::|%3A)[\w-]{43}(?:[/?&]|$)/i)),
    }),
    ends: "when the application says so: it contains the time of signing, and the application sets max_age",
    binds: ["the value alone, and not the URL around it"],
    check: SECRET_OF_MAKER,
  },
  {
    // https://itsdangerous.palletsprojects.com/en/stable/timed/: payload, four bytes of seconds (of 2012 to 2038), HMAC-SHA1, in base64url
    scheme: "itsdangerous",
    form: /[=/]\.?[\w-]{2,4000}\.[U-Za-f][\w-]{5}\.[\w-]{27}(?:[/?&]|$)/,
    what: "A URL with a timed token of itsdangerous (Flask)",
    signedBy: "the application's SECRET_KEY",
    methods: untold,
    secrets: ({ found }) => [found(/\.([\w-]{6}\.[\w-]{27})(?:[/?&]|$)/)],
    times: ({ found }) => ({ signedAt: byteSeconds(found(/\.([\w-]{6})\.[\w-]{27}(?:[/?&]|$)/)) }),
    ends: "when the application says so: it contains the time of signing, and the application sets max_age",
    binds: ["the token's own content alone, and not the URL around it"],
    check: SECRET_OF_MAKER,
  },
  {
    // Bunny's older form on a host of one's own. Others have it as well.
    scheme: "token-and-end",
    form: /[?&]token=[\w-]{22}(?:[\w-]{21})?=*&expires=\d{10}(?:&|$)/,
    what: "A token with an expiry, as in older tokens of Bunny's CDN and others",
    signedBy: "whoever has the key",
    secrets: parameter("token"),
    times: ({ parameter }) => ({ endsAt: seconds(parameter("expires")) }),
    ends: "with the key",
    binds: ["end", "most likely the path"],
    traps: [
      {
        name: "shared-form",
        text: "Several signers use this form. If it is nginx's secure_link, its key with these names (parameters) shows it.",
      },
    ],
    check: "with a key of nginx that names its parameters token and expires it can be tried",
  },
  {
    // RFC 7519. Which server takes it, nobody can tell.
    scheme: "jwt",
    form: JWT_IN_QUERY,
    what: "A URL with a JSON Web Token",
    signedBy: "whoever has the key",
    methods: untold,
    secrets: ({ found }) => [found(JWT_IN_QUERY)],
    times: ({ found }) => timesOfJwt(found(JWT_IN_QUERY)),
    ends: "when its server says so",
    binds: ["what the token says (its claims), which need not be this URL"],
    traps: [
      {
        name: "shared-form",
        text: "Many servers accept such tokens (on their own hosts: Supabase, Mux, Zoom, …): only the server knows what it opens.",
      },
    ],
    check: "any library for JSON Web Tokens can, with the server's key",
  },
];
