import "reflect-metadata";
import { Controller, Get, Module, Req, Res } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { signedRoute } from "daypass/routes/node";
import { urlSigner, urlVerifier } from "daypass/url";
import type { Request, Response } from "express";

const port = Number(process.env["PORT"] ?? 8080);
const key = { kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" } as const;
const verifier = urlVerifier({ keys: [key], origins: [`http://127.0.0.1:${port}`] });
const invoice = signedRoute({ path: "/invoices/:id", signer: urlSigner({ key }), verifier });
const open = invoice.node((grant, { id }, _req, res: Response) => res.json({ id, until: grant.expiresAt }));

@Controller()
class Invoices {
  @Get(invoice.path) get(@Req() req: Request, @Res() res: Response) {
    return open(req, res);
  }
}

@Module({ controllers: [Invoices] })
class App {}

await (await NestFactory.create(App, { logger: false })).listen(port, "127.0.0.1");
console.log(`listening on port ${port}`);
