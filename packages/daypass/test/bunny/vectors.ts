/** One case of Bunny's own vectors. */
export interface BunnyVector {
  readonly name: string;
  readonly path: string;
  readonly userIp?: string;
  readonly place?: "path";
  readonly pathAllowed?: string;
  readonly countriesAllowed?: string;
  readonly countriesBlocked?: string;
  readonly ignoreParams?: true;
  readonly speedLimit?: number;
  readonly signedUrl: string;
}

const host = "https://token-tester.b-cdn.net";
const v6 = "2001:0db8:85a3:0000:0000:8a2e:0370:7334";

/**
 * e2e/inputs.json and e2e/vectors.json of https://github.com/BunnyWay/BunnyCDN.TokenAuthentication (commits 919fe7d and
 * 48ff1af), made with the key "SecurityKey".
 */
export const bunnyVectors: readonly BunnyVector[] = [
  {
    name: "plain",
    path: "/300kb.jpg",
    signedUrl: `${host}/300kb.jpg?token=HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4&expires=1598024587`,
  },
  {
    name: "countries_only",
    path: "/300kb.jpg",
    countriesAllowed: "CA,US",
    signedUrl: `${host}/300kb.jpg?token=HS256-i5s3Uv7mnrFfN5nznwU2BxhILpnipYeE18TapV0WNFM&token_countries=CA%2CUS&expires=1598024587`,
  },
  {
    name: "blocked_only",
    path: "/300kb.jpg",
    countriesBlocked: "RU,CN",
    signedUrl: `${host}/300kb.jpg?token=HS256-JS8dSuBSjSH-W2-xhdkCPC36-2rlxfDCQJjlNMPqKZQ&token_countries_blocked=RU%2CCN&expires=1598024587`,
  },
  {
    name: "path_only",
    path: "/abc/300kb.jpg",
    pathAllowed: "/abc",
    signedUrl: `${host}/abc/300kb.jpg?token=HS256-uVZvT3SbEoVKYJyDJgbcsDmSFf73cv-uNUVaJiKWpbQ&token_path=%2Fabc&expires=1598024587`,
  },
  {
    name: "ignore_params",
    path: "/300kb.jpg",
    ignoreParams: true,
    signedUrl: `${host}/300kb.jpg?token=HS256-1lwWBD_c1IAGSj1UKPoxreu8ePDQ-Z9FoWLcRn_RRH0&token_ignore_params=true&expires=1598024587`,
  },
  {
    name: "limit_only",
    path: "/300kb.jpg",
    speedLimit: 1000,
    signedUrl: `${host}/300kb.jpg?token=HS256-DAVapqNNED3Z7JkjRTYX0UOIHNtbHEuuhRNEc4A7mMQ&limit=1000&expires=1598024587`,
  },
  {
    name: "ip_v4_only",
    path: "/300kb.jpg",
    userIp: "1.2.3.4",
    signedUrl: `${host}/300kb.jpg?token=HS256-1-L2rISTLcujMY9UFf2tbZ41d5i-Bme1g1oTK_Z2QMLJk&expires=1598024587`,
  },
  {
    name: "ip_v6_only",
    path: "/300kb.jpg",
    userIp: v6,
    signedUrl: `${host}/300kb.jpg?token=HS256-1-Z1BaGdhTZdU4iANcyKpurFR2VgCNdqC6hlBv5x_TyaI&expires=1598024587`,
  },
  {
    name: "ip_v4_countries",
    path: "/abc/",
    userIp: "1.2.3.4",
    place: "path",
    countriesAllowed: "CA,US",
    signedUrl: `${host}/bcdn_token=HS256-1-4lIDGI2_t3wiTmopXzB7z71wtZKTe1Ic0lDlL72iAJw&token_countries=CA%2CUS&expires=1598024587/abc/`,
  },
  {
    name: "ip_v6_countries",
    path: "/abc/",
    userIp: v6,
    place: "path",
    countriesAllowed: "CA,US",
    signedUrl: `${host}/bcdn_token=HS256-1-LGpoP8i1bV4P1kN4NrO_iYxLJuLAD2R3Clstsy9kWAc&token_countries=CA%2CUS&expires=1598024587/abc/`,
  },
  {
    name: "ip_v4_limit",
    path: "/abc/",
    userIp: "1.2.3.4",
    place: "path",
    speedLimit: 5000,
    signedUrl: `${host}/bcdn_token=HS256-1-X01Z6A9xAo1_ds1XFf9y8gAIzk_JpmoevOx7EtgMQhY&limit=5000&expires=1598024587/abc/`,
  },
  {
    name: "ip_v4_path",
    path: "/abc/300kb.jpg",
    userIp: "1.2.3.4",
    pathAllowed: "/abc",
    signedUrl: `${host}/abc/300kb.jpg?token=HS256-1-wag9tC0r1QWfg-2eMj5QcdzgPLCIdQb-D0WVU1Mhg2w&token_path=%2Fabc&expires=1598024587`,
  },
  {
    name: "ip_v4_ignore",
    path: "/300kb.jpg",
    userIp: "1.2.3.4",
    ignoreParams: true,
    signedUrl: `${host}/300kb.jpg?token=HS256-1-rWalmQRJ-A_qrb08-JoeU3b-gOS5mJiJjPOfDWa0gsQ&token_ignore_params=true&expires=1598024587`,
  },
  {
    name: "ip_v4_blocked",
    path: "/300kb.jpg",
    userIp: "1.2.3.4",
    countriesBlocked: "RU,CN",
    signedUrl: `${host}/300kb.jpg?token=HS256-1-myF6Rnz7Z9VAfAjjkyUHJQ_6gr-AJ7VyPsG5rQdQKm8&token_countries_blocked=RU%2CCN&expires=1598024587`,
  },
  {
    name: "ip_v6_blocked",
    path: "/300kb.jpg",
    userIp: v6,
    countriesBlocked: "RU,CN",
    signedUrl: `${host}/300kb.jpg?token=HS256-1-XGkCf_JKNfOrpWAM_CIYjZBbVHbB4U1mxHg8pXJtBNc&token_countries_blocked=RU%2CCN&expires=1598024587`,
  },
];
