/** As AWS's own packages sign them, each for the key below at {@link SIGNED_AT}. */
export const KEY = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };

/** The same secret, of a session. */
export const SESSION_KEY = { ...KEY, accessKeyId: "ASIAEXAMPLE", sessionToken: "IQoJb3JpZ2luX2VjEXAMPLE+/token==" };

export const SIGNED_AT = "2026-01-02T03:04:05Z";

/** What is signed as x-k8s-aws-id. */
export const CLUSTER = "prod";

/**
 * `rds` by `@aws-sdk/rds-signer` 3.11xx, `dsql` by `@aws-sdk/dsql-signer`, all others by `SignatureV4.presign` of
 * `@smithy/signature-v4` 5.7: `eks` and `msk` in base64 as `aws eks get-token` and `aws-msk-iam-sasl-signer-js` do it.
 */
export const AWS_URLS = {
  eks: "k8s-aws-v1.aHR0cHM6Ly9zdHMuZXUtd2VzdC0xLmFtYXpvbmF3cy5jb20vP0FjdGlvbj1HZXRDYWxsZXJJZGVudGl0eSZWZXJzaW9uPTIwMTEtMDYtMTUmWC1BbXotQWxnb3JpdGhtPUFXUzQtSE1BQy1TSEEyNTYmWC1BbXotQ3JlZGVudGlhbD1BS0lERVhBTVBMRSUyRjIwMjYwMTAyJTJGZXUtd2VzdC0xJTJGc3RzJTJGYXdzNF9yZXF1ZXN0JlgtQW16LURhdGU9MjAyNjAxMDJUMDMwNDA1WiZYLUFtei1FeHBpcmVzPTYwJlgtQW16LVNpZ25hdHVyZT1hMjU4ZDZmY2Q2ZDFiNGVkNjhjODUxMjNhYzc2MjMzMTk1MjlkYWRhODdjODJlYzQ4YmQ1YTllYzEyOTU5YjYzJlgtQW16LVNpZ25lZEhlYWRlcnM9aG9zdCUzQngtazhzLWF3cy1pZA",
  transcribe:
    "wss://transcribestreaming.eu-west-1.amazonaws.com:8443/stream-transcription-websocket?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAEXAMPLE%2F20260102%2Feu-west-1%2Ftranscribe%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=300&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE%2B%2Ftoken%3D%3D&X-Amz-Signature=664cd8ac4203311b6bf3c1d83572bda93f5196a6b681a7fd2181bf3623b24a80&X-Amz-SignedHeaders=host&language-code=en-US&media-encoding=pcm&sample-rate=16000",
  iot: "wss://a1b2c3-ats.iot.eu-west-1.amazonaws.com/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-Signature=f7ddd69af37ef61b0527bccb2e8999934fca719bac0b1a8c9a63c62bfc595a91&X-Amz-SignedHeaders=host",
  iotSignedToken:
    "wss://a1b2c3-ats.iot.eu-west-1.amazonaws.com/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAEXAMPLE%2F20260102%2Feu-west-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE%2B%2Ftoken%3D%3D&X-Amz-Signature=bf06354abb4dd424ddcddb04a5ed0995a12703978a2a3a69b2293772a1585c4f&X-Amz-SignedHeaders=host",
  iotAppendedToken:
    "wss://a1b2c3-ats.iot.eu-west-1.amazonaws.com/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAEXAMPLE%2F20260102%2Feu-west-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-Signature=d7a6531aa7c8046191580c0e73fc71e984eec79575e1abefcff98e1a60d267a8&X-Amz-SignedHeaders=host&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE%2B%2Ftoken%3D%3D",
  polly:
    "https://polly.eu-west-1.amazonaws.com/v1/speech?OutputFormat=mp3&Text=Hello%20there&VoiceId=Joanna&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fpolly%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-Signature=5476f44e5871bd1cb2e2590e1c26e35714652f87ab1ea20f4ea3a60326aa289b&X-Amz-SignedHeaders=host",
  executeApi:
    "https://abc123.execute-api.eu-west-1.amazonaws.com/prod/caf%C3%A9?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fexecute-api%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=300&X-Amz-Signature=8c1f9103c670356fe6ba4dee6ea5b9d0085814e451c29a803588c3396d194bc4&X-Amz-SignedHeaders=host",
  executeApiDomain:
    "https://api.example.com/orders?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fexecute-api%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=300&X-Amz-Signature=dbf6ed924e4c60e0d50b66f161fff820a6a6f1bb215c5e3b8452d3e7592bd46d&X-Amz-SignedHeaders=host",
  lambdaUrl:
    "https://abcdefghij.lambda-url.eu-west-1.on.aws/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Flambda%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=300&X-Amz-Signature=fc1aa7c2e8ce354ca57195c180d8b5b22c018733f7af14117cc09df212f308d5&X-Amz-SignedHeaders=host",
  kinesisViewer:
    "wss://v-1a2b3c4d.kinesisvideo.eu-west-1.amazonaws.com/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-ChannelARN=arn%3Aaws%3Akinesisvideo%3Aeu-west-1%3A123456789012%3Achannel%2Fdoor%2F1600000000000&X-Amz-ClientId=phone&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fkinesisvideo%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=299&X-Amz-Signature=572c46b3d227bc36a8ef4f634ac571b1b700e35f05a6d2b47ff5db4578f51e4b&X-Amz-SignedHeaders=host",
  kinesisMaster:
    "wss://m-1a2b3c4d.kinesisvideo.eu-west-1.amazonaws.com/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-ChannelARN=arn%3Aaws%3Akinesisvideo%3Aeu-west-1%3A123456789012%3Achannel%2Fdoor%2F1600000000000&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fkinesisvideo%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=299&X-Amz-Signature=f4ab272a1f8cd1d8c3452e271f323393af9d7f6128f18724aa676be9f2c5c3a6&X-Amz-SignedHeaders=host",
  elasticache:
    "http://orders/?Action=connect&ResourceType=ServerlessCache&User=app&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Felasticache%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-Signature=f9a1a97b992151ddfd6b7f4c993db7a770f8ce38b230c202e34107e409c7c43a&X-Amz-SignedHeaders=host",
  memorydb:
    "http://orders/?Action=connect&User=app&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fmemorydb%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-Signature=3d28e75b42988e1d60fe30cf115fccefd531a37ee1c7a38e60458b49d43a1c70&X-Amz-SignedHeaders=host",
  msk: "aHR0cHM6Ly9rYWZrYS5ldS13ZXN0LTEuYW1hem9uYXdzLmNvbS8_QWN0aW9uPWthZmthLWNsdXN0ZXIlM0FDb25uZWN0JlgtQW16LUFsZ29yaXRobT1BV1M0LUhNQUMtU0hBMjU2JlgtQW16LUNyZWRlbnRpYWw9QUtJREVYQU1QTEUlMkYyMDI2MDEwMiUyRmV1LXdlc3QtMSUyRmthZmthLWNsdXN0ZXIlMkZhd3M0X3JlcXVlc3QmWC1BbXotRGF0ZT0yMDI2MDEwMlQwMzA0MDVaJlgtQW16LUV4cGlyZXM9OTAwJlgtQW16LVNpZ25hdHVyZT03Y2MxNzg0NTMzNDJlNDc5ZGVmOGUwZTY5Y2JmZjQ0M2NhOTI5YjViMDQyNmFmMGY0YjY0NTU0MTcyYzcxOTVkJlgtQW16LVNpZ25lZEhlYWRlcnM9aG9zdCZVc2VyLUFnZW50PWF3cy1tc2staWFtLXNhc2wtc2lnbmVyLWpzJTJGMS4wLjA",
  other:
    "https://bedrock-agentcore.eu-west-1.amazonaws.com/runtimes/x/ws?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fbedrock-agentcore%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=300&X-Amz-Signature=773d26dadfaf735efc8c2ab0c7cb074fb1d4147e7e1721a60f950a592524a291&X-Amz-SignedHeaders=host",
  wrongService:
    "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-Signature=2ac23bdad2e4f9581d4b0527692781e8f068147c972e35e9c7af5f87d1c1b151&X-Amz-SignedHeaders=host",
  rds: "db.abcdefghijkl.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=app&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Frds-db%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-Signature=df39f8a6ae4e06b5d8d523dc364db2dae89147294426eb977ee3a287d16f6920&X-Amz-SignedHeaders=host",
  dsql: "abcdefghijklmnopqrst.dsql.eu-west-1.on.aws/?Action=DbConnectAdmin&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fdsql%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=3600&X-Amz-Signature=92d7e4ef03738936f7d1f2fcf5874705769b36143ebe5d8bf3b5cce3908ffd0b&X-Amz-SignedHeaders=host",
} as const;
