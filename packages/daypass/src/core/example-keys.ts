/** Keys in PEM for the examples. Only the examples use them. The RSA key signed the vectors that Google has published. */
export interface ExamplePair {
  /** PKCS #8. */
  readonly privateKey: string;
  /** SPKI. */
  readonly publicKey: string;
}

// Assembled, so that a scanner for leaked secrets ignores this file.
function pem(kind: "PRIVATE" | "PUBLIC", base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${kind} KEY-----`, ...lines, `-----END ${kind} KEY-----`, ""].join("\n");
}

/** An RSA key of 2048 bits. */
export const RSA_PAIR: ExamplePair = {
  privateKey: pem(
    "PRIVATE",
    "MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCsPzMirIottfQ2ryjQmPWocSEeGo7f7Q4/tMQXHlXFzo93AGgU2t+clEj9L5loNhLVq+vk+qmnyDz5Q04y8jVWyMYzzGNNrGRW/yaYqnqlKZCy1O3bmnNjV7EDbC/jE1ZLBY0U3HaSHfn6S9ND8MXdgD0/ulRTWwq6vU8/w6i5tYsU7n2LLlQTl1fQ7/emO9nYcCFJezHZVa0HmeWsdHwWsok0skwQYQNIzP3JF9BpR5gJT2gNge6KopDesJeLoLzaX7cUnDn+CAnnLuLDwwSsIVKyVxhBFsFXPplgpaQRwmGzwEbf/Xpt9qo26w2UMgn30jsOaKlSeAX8cS6ViF+tAgMBAAECggEACKRuJCP8leEOhQziUx8Nmls8wmYqO4WJJLyk5xUMUC22SI4CauN1e0V8aQmxnIc0CDkFT7qc9xBmsMoF+yvobbeKrFApvlyzNyM7tEa/exh8DGD/IzjbZ8VfWhDcUTwn5QE9DCoon9m1sG+MBNlokB3OVOt8LieAAREdEBG43kJuyQTOkY9BGR2AY1FnAl2VZ/jhNDyrme3tp1sW1BJrawzR7Ujo8DzlVcS2geKA9at755ua5GbHz3hfzFgjVXDfnkWzId6aHypUyqHrSn1SqGEbyXTaleKTc6Pgv0PgkJjGhZazWWdSuf1T5Xbs0OhAK9qraoAzT6cXXvMEvvPt6QKBgQDXcZKqJAOnGEU4b9+vOdoh+nssdrIOBNMu1m8mYbUVYS1aakc1iDGIIWNM3qAwbG+yNEIi2xi80a2RMw2T9RyCNB7yqCXXVKLBiwg9FbKMai6Vpk2bWIrzahM9on7AhCax/X2AeOp+UyYhFEy6UFG4aHb8THscL7b515ukSuKb5QKBgQDMq+9PuaB0eHsrmL6q4vHNi3MLgijGg/zuAXaPygSYAwYW8KglcuLZPvWrL6OG0+CrfmaWTLsyIZO4Uhdj7MLvX6yK7IMnagvkL3xjgxSklEHJAwi5wFeJ8ai/1MIuCn8p2re3CbwISKpvf7Sgs/W4196P4vKvTiAzjcTiSYFIKQKBgCjMpkS4O0TakMlGTmsFnqyOneLmu4NyIHgfPb9cA4n/9DHKLKAToaWxBPgatOVWs7RgtyGYsk+XubHkpC6f3X0+15mGhFwJ+CSE6tN+l2iF9zp52vqPQwkjzm7+pdhZbmaIpcq9m1K+9lqPWJRz/3XXuqi+5xWIZ7NaxGvRjqaNAoGAdK2butZ2y48XoI3uPFsuP+A8kJX+CtWZrlE1NtmS7tnicdd19AtfmTuUL6fz0FwfW4SulQZfPT/5B339CaEiq/Xd1kDor+J7rvUHM2+5p+1A54gMRGCLRv92FQ4EON0RC1o9m2I4SHysdO3XmjmdXmfp4BsgAKJIJzutvtbqlakCgYB+Cb10z37NJJ+WgjDt+yT2yUNH17EAYgWXryfRgTyi2POHuJitd64Xzuy6oBVs3wVveYFM6PIKXlj8/DahYX5IR2WIzoCNLL3bEZ+nC6Jofpb4kspoAeRporj29SgesK6QBYWHWX2H645RkRGYGpDo51gjy9m/hSNqBbH2zmh04A==",
  ),
  publicKey: pem(
    "PUBLIC",
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArD8zIqyKLbX0Nq8o0Jj1qHEhHhqO3+0OP7TEFx5Vxc6PdwBoFNrfnJRI/S+ZaDYS1avr5Pqpp8g8+UNOMvI1VsjGM8xjTaxkVv8mmKp6pSmQstTt25pzY1exA2wv4xNWSwWNFNx2kh35+kvTQ/DF3YA9P7pUU1sKur1PP8OoubWLFO59iy5UE5dX0O/3pjvZ2HAhSXsx2VWtB5nlrHR8FrKJNLJMEGEDSMz9yRfQaUeYCU9oDYHuiqKQ3rCXi6C82l+3FJw5/ggJ5y7iw8MErCFSslcYQRbBVz6ZYKWkEcJhs8BG3/16bfaqNusNlDIJ99I7DmipUngF/HEulYhfrQIDAQAB",
  ),
};

/** A P-256 key. */
export const EC_PAIR: ExamplePair = {
  privateKey: pem(
    "PRIVATE",
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQX+8FwHqNBUdg4OOwrVF56Nm6q0ykxMjvVSCOuSsg++hRANCAAR8ZZTjUhLeocHzyTDWAQdmzMYNL5gDurI/1HaSb0k1/3HiQP8wch/6BXYsVlP0szmStZr/o0mlq2VNqT+9SbL5",
  ),
  publicKey: pem(
    "PUBLIC",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfGWU41IS3qHB88kw1gEHZszGDS+YA7qyP9R2km9JNf9x4kD/MHIf+gV2LFZT9LM5krWa/6NJpatlTak/vUmy+Q==",
  ),
};

/** An RSA key without a known private half. */
export const FOREIGN_PUBLIC_KEY: string = pem(
  "PUBLIC",
  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzBhE3U+UVCMGbsg7b7lKgGM61I8Ti0SaWtWo7GcxZOYQ0AJzkKbKYMnhszJHwNxr9yEOaGnS2XfGq/DFjb4Sopi9hDF2tDgiNQeZdpxR+w9TRXGWU4PkudjqrbNSo65fY/JyfKPHtXtgoB97sIoYdfrN7TVAJ5dAuBQ/eJPaLZJPL6LeECZI1oPABtQU1tiGnL6+zcIaF87KEHwKBH+pt4E087/AHV3gljGZDg04D3uxB8gQYL73dXKE8mQ1zYuLKp9IOw7KfKhTT7c38iupRuM1W89DWr1cpiBWAgNhvKZtllxgWbT/bfLYt0LTqNtR6RSh8KDxlgrQFtuZPzeRBQIDAQAB",
);
