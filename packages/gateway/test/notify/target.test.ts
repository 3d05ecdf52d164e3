import { describe, expect, it } from "vitest";
import { type Address, TargetRefused, targetGuard } from "../../src/notify/index.ts";

/** The names of a network of the test. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "public.example": ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
  "inside.example": ["10.1.2.3"],
  "half.example": ["93.184.215.14", "127.0.0.1"],
  "mapped.example": ["::ffff:169.254.169.254"],
  localhost: ["127.0.0.1"],
  "metadata.google.internal": ["169.254.169.254"],
  "nothing.example": [],
};
const resolve = async (name: string): Promise<readonly Address[]> =>
  (NAMES[name] ?? []).map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
const guard = targetGuard({ allowNetworks: [], resolve });

describe("the guard of webhooks refuses", () => {
  it.each([
    ["loopback", "https://127.0.0.1/"],
    ["loopback as a decimal number", "https://2130706433/"],
    ["loopback in hexadecimal", "https://0x7f000001/"],
    ["loopback in octal", "https://017700000001/"],
    ["loopback in two parts", "https://127.1/"],
    ["loopback with escaped digits", "https://%31%32%37.0.0.1/"],
    ["loopback in full-width digits", "https://１２７.0.0.1/"],
    ["loopback of IPv6", "https://[::1]/"],
    ["loopback mapped into IPv6", "https://[::ffff:127.0.0.1]/"],
    ["loopback mapped into IPv6 in hexadecimal", "https://[::ffff:7f00:1]/"],
    ["loopback compatible with IPv4", "https://[::127.0.0.1]/"],
    ["every address", "https://0.0.0.0/"],
    ["every address of IPv6", "https://[::]/"],
    ["a private network", "https://10.0.0.1/"],
    ["a private network", "https://172.31.255.255/"],
    ["a private network", "https://192.168.1.1/"],
    ["a carrier's network", "https://100.64.0.1/"],
    ["a private network of IPv6", "https://[fc00::1]/"],
    ["a link", "https://[fe80::1]/"],
    ["a group", "https://224.0.0.1/"],
    ["the metadata service of AWS, Google and Azure", "https://169.254.169.254/latest/meta-data/"],
    ["the metadata service as a number", "https://2852039166/"],
    ["the metadata service of AWS over IPv6", "https://[fd00:ec2::254]/"],
    ["the metadata service behind NAT64", "https://[64:ff9b::a9fe:a9fe]/"],
    ["the metadata service behind 6to4", "https://[2002:a9fe:a9fe::1]/"],
    ["the metadata service behind Teredo", "https://[2001:0:a9fe:a9fe::1]/"],
    ["the platform of Azure", "https://168.63.129.16/"],
    ["the metadata service of Alibaba", "https://100.100.100.200/"],
    ["the metadata service of Oracle", "https://192.0.0.192/"],
    ["a name of this machine", "https://localhost/"],
    ["a name of a private network", "https://inside.example/"],
    ["a name with one private address", "https://half.example/"],
    ["a name of a mapped address", "https://mapped.example/"],
    ["the name of a metadata service", "https://metadata.google.internal/"],
    ["a name without an address", "https://nothing.example/"],
    ["http to a public address", "http://public.example/"],
    ["a user in the URL", "https://user:secret@public.example/"],
    ["another scheme", "file:///etc/passwd"],
    ["another scheme", "ftp://public.example/"],
    ["text that is no URL", "public.example"],
  ])("%s: %s", async (_, url) => {
    await expect(guard.addressesOf(url)).rejects.toThrow(TargetRefused);
  });
});

describe("the guard of webhooks allows", () => {
  it.each(["https://public.example/hook", "https://8.8.8.8/", "https://[2606:4700::1111]/"])("%s", async (url) => {
    expect((await guard.addressesOf(url)).length).toBeGreaterThan(0);
  });
  it("what the operator allows, also by http, and nothing beside it", async () => {
    const inside = targetGuard({ allowNetworks: ["10.1.0.0/16", "127.0.0.1"], resolve });
    expect(await inside.addressesOf("http://inside.example/")).toEqual([{ address: "10.1.2.3", family: 4 }]);
    expect(await inside.addressesOf("http://127.0.0.1/")).toHaveLength(1);
    await expect(inside.addressesOf("http://10.2.0.1/")).rejects.toThrow(TargetRefused);
    await expect(inside.addressesOf("http://half.example/")).rejects.toThrow(TargetRefused);
  });
});
