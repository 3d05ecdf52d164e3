import { s3Signer } from "daypass/s3";
import { urlSigner } from "daypass/url";
import { type Contender, interleave } from "./compute/interleave.ts";
import { job, keyOf, urlKey, urlOrigin } from "./compute/job.ts";
import { loadPortable, type Portable } from "./compute/portable.ts";
import { hashChain } from "./floor.ts";
import { awsDropIn, peerSigners } from "./peers/signers.ts";
import { type Bar, type Row, rounded } from "./row.ts";

const OURS = "daypass/s3";
const PORTABLE = "daypass/s3, portable build";
const DROP_IN = "daypass/compat/aws";
const PRESIGNER = "@aws-sdk/s3-request-presigner";
const FLOOR = "floor: three hashes";

const BARS: Readonly<Record<string, Bar>> = {
  [FLOOR]: { atLeast: 0.5 },
  aws4: { atLeast: 6.5 },
  [PRESIGNER]: { atLeast: 100 },
};

/** Signs a GET with each signer, the full result each time, on one thread. */
export async function sign(): Promise<readonly Row[]> {
  const portable = await loadPortable();
  const rates = await interleave([
    { name: FLOOR, call: hashChain },
    ours(OURS, s3Signer),
    ours(PORTABLE, portable.s3Signer),
    ourUrl("daypass/url, HS256", urlSigner),
    ...peerSigners(),
    awsDropIn(),
  ]);
  const rate = (name: string): number => rates.get(name) ?? Number.NaN;
  const row = (work: string, contender: string, than: string, bar?: Bar): Row => ({
    work,
    contender,
    figure: `${rounded(rate(contender))} /s`,
    ratio: contender === than ? undefined : rate(than) / rate(contender),
    bar,
  });
  return [
    row("sign", OURS, OURS),
    ...[...rates.keys()]
      .filter((name) => name !== OURS && name !== DROP_IN)
      .map((name) => row("sign", name, OURS, BARS[name])),
    row("sign a command of the AWS SDK", DROP_IN, DROP_IN),
    row("sign a command of the AWS SDK", PRESIGNER, DROP_IN, { atLeast: 100 }),
    row("sign, portable", PORTABLE, PORTABLE),
    row("sign, portable", "aws4fetch", PORTABLE, { atLeast: 10 }),
  ];
}

function ours(name: string, make: Portable["s3Signer"]): Contender {
  const { region, endpoint, bucket, expiresIn, credentials } = job;
  const signer = make({ region, endpoint, addressing: "path", credentials });
  return { name, call: (turn) => signer.sign({ bucket, key: keyOf(turn), expiresIn }) };
}

function ourUrl(name: string, make: Portable["urlSigner"]): Contender {
  const signer = make({ key: urlKey });
  return { name, call: (turn) => signer.sign({ url: `${urlOrigin}/${keyOf(turn)}`, expiresIn: job.expiresIn }) };
}
