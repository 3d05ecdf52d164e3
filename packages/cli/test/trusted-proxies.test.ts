import type { WireRequest } from "daypass";
import { expect, test } from "vitest";
import { trustedProxies } from "../src/commands/serve/trusted-proxies.ts";

const client = (
  networks: readonly string[],
  peer: string | undefined,
  ...forwarded: readonly string[]
): string | undefined => {
  const headers = [
    ...forwarded.map((value) => ["X-Forwarded-For", value] as const),
    // Other headers are not trusted.
    ["X-Real-IP", "198.51.100.1"] as const,
  ];
  const request: WireRequest = { method: "GET", target: "/", authority: "a.example", headers, remoteAddress: peer };
  return trustedProxies(networks)(request).remoteAddress;
};

test.each([
  [[], "10.0.0.1", ["192.0.2.1"], "10.0.0.1"],
  [["10.0.0.0/8"], "10.0.0.1", ["192.0.2.1"], "192.0.2.1"],
  [["10.0.0.0/8"], "::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1"],
  [["10.0.0.0/8"], "192.0.2.9", ["192.0.2.1"], "192.0.2.9"],
  // The client wrote the first address, the proxy the second.
  [["10.0.0.0/8"], "10.0.0.1", ["203.0.113.5, 192.0.2.1"], "192.0.2.1"],
  [["10.0.0.0/8"], "10.0.0.1", ["203.0.113.5, 192.0.2.1, 10.0.0.2"], "192.0.2.1"],
  [["10.0.0.0/8"], "10.0.0.1", ["203.0.113.5", "192.0.2.1"], "192.0.2.1"],
  [["10.0.0.0/8"], "10.0.0.1", [], "10.0.0.1"],
  [["10.0.0.0/8"], "10.0.0.1", ["unknown"], undefined],
  [["fd00::/8"], "fd00::1", ["2001:db8::1"], "2001:db8::1"],
  [["10.0.0.1"], "10.0.0.2", ["192.0.2.1"], "10.0.0.2"],
  [["10.0.0.1"], "10.0.0.1", ["192.0.2.1"], "192.0.2.1"],
  // An address without a length is a single host.
  [["fd00::1"], "fd00::2", ["192.0.2.1"], "fd00::2"],
  [["fd00::1"], "fd00::1", ["192.0.2.1"], "192.0.2.1"],
  [["10.0.0.0/8"], "10.0.0.1", ["203.0.113.5, ::FFFF:192.0.2.10"], "192.0.2.10"],
  [["10.0.0.0/8"], "::ffff:10.0.0.1", [], "10.0.0.1"],
  [["10.0.0.0/8"], "10.0.0.1", ["192.0.2.1, 1::ffff:10.0.0.3"], "1::ffff:10.0.0.3"],
  [["10.0.0.0/8"], undefined, ["192.0.2.1"], undefined],
])(
  "with the proxies %j, the peer %s and X-Forwarded-For %j, the client is %s",
  (networks, peer, forwarded, expected) => {
    expect(client(networks, peer, ...forwarded)).toBe(expected);
  },
);

// Number("") is 0, which would trust every address.
test.each([
  "",
  "10.0.0.0/33",
  "proxy.example",
  "10.0.0.0/x",
  "10.0.0.0/8/16",
  "fe80::1/129",
  "10.0.0.0/",
  "10.0.0.0/ ",
  "10.0.0.0/+8",
  "10.0.0.0/1e1",
])("rejects the network %j", (network) => {
  expect(() => trustedProxies([network])).toThrow(/CIDR/);
});
