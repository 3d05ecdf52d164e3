import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { s3Signer } from "daypass/s3";

const port = Number(process.env["PORT"] ?? 8081);
const bucket = process.env["BUCKET"] ?? "uploads";
const s3 = s3Signer({
  region: process.env["REGION"] ?? "us-east-1",
  endpoint: process.env["S3_ENDPOINT"] ?? "http://127.0.0.1:8080",
  credentials: {
    accessKeyId: process.env["ACCESS_KEY_ID"] ?? "",
    secretAccessKey: process.env["SECRET_ACCESS_KEY"] ?? "",
  },
});
const page = readFileSync(new URL("page.html", import.meta.url));

// The bytes go from the browser to the storage. This server signs, and never sees them.
createServer((req, res) => {
  const { pathname, searchParams } = new URL(req.url ?? "/", "http://localhost");
  if (req.method === "GET" && pathname === "/") {
    res.setHeader("content-type", "text/html; charset=utf-8");
    res.end(page);
    return;
  }
  const contentType = searchParams.get("type") ?? "";
  if (req.method !== "POST" || pathname !== "/uploads" || !/^image\/(png|jpeg|webp)$/.test(contentType)) {
    res.statusCode = 400;
    res.end("Send POST /uploads?type=image/png, image/jpeg or image/webp");
    return;
  }
  // The server chooses the name: a name from the client could replace another user's file.
  const key = `inbox/${randomUUID()}`;
  const upload = s3.sign({ bucket, key, method: "PUT", bind: { contentType }, expiresIn: 60 });
  const download = s3.sign({ bucket, key, expiresIn: 300 });
  res.setHeader("content-type", "application/json");
  res.end(JSON.stringify({ upload, download }));
}).listen(port, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${port}`));
