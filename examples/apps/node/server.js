// An app with a dev script: `hold dev` starts it on a free port, which it finds in PORT.
const http = require("node:http");

const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A Node server</title>
<link rel="icon" href="data:,"></head><body><h1>A Node server</h1><p id="said"></p>
<script>
  const news = new EventSource("/news");
  news.onmessage = (event) => { document.getElementById("said").textContent = event.data; };
  console.log("a node server");
</script></body></html>`;

http
  .createServer((request, response) => {
    if (request.url === "/news") {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(`data: running as process ${process.pid}\n\n`);
      return;
    }
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
    response.end(page);
  })
  .listen(Number(process.env.PORT), process.env.HOST, () => console.log("ready"));
