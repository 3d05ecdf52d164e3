import { describe, expect, test } from "vitest";
import { awsSdkOracle } from "../oracles/aws-sdk.ts";
import { aws4Oracle } from "../oracles/aws4.ts";
import { aws4fetchOracle } from "../oracles/aws4fetch.ts";
import { daypassUrl } from "../oracles/daypass.ts";
import { minioOracle } from "../oracles/minio.ts";
import { draft, finish } from "../oracles/oracle.ts";
import { smithyOracle } from "../oracles/smithy.ts";
import { randomWish } from "../random/requests.ts";
import { runCount, runSeed, seeded } from "../random/seeded.ts";
import { decodeToken, urlParts } from "../url-parts.ts";

// Three signers are asked the same: ours, the client, and the second opinion of sigv4.ts. Equal means: the same scheme
// and host, the same bytes of the path, the same set of encoded parameters (their order has no meaning) and the same
// signature. Where a client is known to be wrong, the second opinion predicts its very bytes.
describe.each([awsSdkOracle, smithyOracle, aws4Oracle, aws4fetchOracle, minioOracle])("$name $version", (oracle) => {
  test(`agrees with s3Signer on ${runCount()} random requests but for the client's known errors`, async () => {
    const random = seeded(runSeed());
    const seen = new Map(oracle.deviations.map(({ name }) => [name, 0]));
    let equal = 0;
    for (let left = runCount(); left > 0; left--) {
      const wish = oracle.narrow(randomWish(random));
      const theirs = urlParts(await oracle.sign(wish));
      const added = theirs.tokens.map(decodeToken).filter(([name]) => oracle.adds?.includes(name));
      const asked = added.filter(([name]) => !wish.query.some(([other]) => other === name));
      const right = draft(wish, asked);
      const context = JSON.stringify(wish);
      expect(urlParts(daypassUrl(wish, asked)), context).toEqual(finish(right));

      const deviations = oracle.deviations.filter(({ applies }) => applies(wish, right));
      for (const { name } of deviations) seen.set(name, (seen.get(name) ?? 0) + 1);
      if (deviations.length === 0) equal += 1;
      expect(theirs, context).toEqual(finish(deviations.reduce((made, { instead }) => instead(made), right)));
    }
    console.log(`${oracle.name} ${oracle.version}, seed ${runSeed()}: ${equal} of ${runCount()} equal`);
    for (const [name, count] of seen) console.log(`  ${count} × ${name}`);
    expect([...seen.values()].every((count) => count > 0)).toBe(true);
    expect(equal).toBeGreaterThan(0);
  });
});
