import { defineConfig } from "vitest/config";

declare const process: { env: Record<string, string | undefined> };

// `make dev` says where the host listens whose sessions a page under development shows. Not by
// a name of Holdfast's own: what begins like that is kept from the programs in sessions.
const host = process.env["PAGE_HOST"] ?? "http://127.0.0.1:7717";

export default defineConfig({
  base: "./", // whatever path a host is under
  build: {
    outDir: "../src/holdfast/host/page",
    emptyOutDir: true,
    license: { fileName: "licenses.txt" },
    chunkSizeWarningLimit: 1000, // a terminal is what this page is
  },
  server: {
    // The host lets in its own pages alone: to it, this one is of its own.
    proxy: {
      "/api": { target: host, changeOrigin: true, headers: { origin: host } },
      "/socket.io": { target: host, changeOrigin: true, ws: true, rewriteWsOrigin: true },
    },
  },
  test: { include: ["test/**/*.test.ts"] },
});
