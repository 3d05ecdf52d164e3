const admin = process.env["DAYPASS_ADMIN"] ?? "http://127.0.0.1:8081";
const headers = {
  authorization: `Bearer ${process.env["DAYPASS_ADMIN_TOKEN"]}`,
  "content-type": "application/json",
};

/** @type {import("daypass").UseStore} */
export const uses = {
  async claim(keyId, grantId, limit, until) {
    const body = JSON.stringify({ keyId, grantId, uses: limit, until });
    const response = await fetch(`${admin}/claims`, { method: "POST", headers, body });
    if (!response.ok) throw new Error(`the gateway refused a claim: ${response.status} ${await response.text()}`);
    return (await response.json()).claimed === true;
  },
};
