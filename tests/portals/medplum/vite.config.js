// Builds the shell into the folder that --outDir names; every file name carries its content's hash.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  build: {
    emptyOutDir: true,
    cssMinify: false, // @medplum/react's stylesheet holds a media query that a minifier refuses
    chunkSizeWarningLimit: 20000,
    rolldownOptions: {
      onwarn(warning, warn) {
        // Every Mantine module begins with "use client", which means nothing in a page.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') {
          warn(warning);
        }
      },
    },
  },
});
