// nodemailer's pool of ten with Handlebars, as its documentation has it. PORT MAILS [base64]
const { execFileSync } = require("node:child_process");
const { mkdtempSync, readFileSync } = require("node:fs");
const { randomBytes } = require("node:crypto");
const { join } = require("node:path");
const nodemailer = require("nodemailer");
const handlebars = require("handlebars");

const [port, mails, encoding] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const names = ["Ada Okafor", "Ravi Menon", "Zoë Weiß", "Jürgen Groß", "Ann Lee", "Bo", "Łukasz Żak", "Ивáн", "Max", "Mia"];
const folder = mkdtempSync("/tmp/letter-");
const [html, text] = [join(folder, "html"), join(folder, "text")];
execFileSync("python3", [join(__dirname, "bench_peers_letter.py"), html, text]);
const [page, words] = [html, text].map((name) => handlebars.compile(readFileSync(name, "utf-8")));

const pool = nodemailer.createTransport({
  pool: true, maxConnections: 10, maxMessages: Infinity, host: "127.0.0.1", port, secure: false, ignoreTLS: true,
});
let next = 0, accepted = 0;

async function work() {
  while (next < mails) {
    const number = next++;
    const values = { name: names[number % 10], email: `r${number}@example.org`, token: randomBytes(15).toString("base64url") };
    const message = {
      from: "Dispatch <news@example.com>", to: values.email, subject: "This week",
      headers: { "List-Unsubscribe": `<https://example.com/u/${values.token}>` },
      text: words(values), html: page(values),
    };
    if (encoding) message.textEncoding = encoding;
    const answer = await pool.sendMail(message);
    accepted += answer.accepted.length;
  }
}

Promise.all(Array.from({ length: 20 }, work)).then(() => { pool.close(); console.log(accepted); });
