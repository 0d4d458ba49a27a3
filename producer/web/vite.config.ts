import {defineConfig} from 'vite';

export default defineConfig({
  root: 'page',
  build: {
    target: 'es2022',
    emptyOutDir: true,
    modulePreload: {polyfill: false},
    // The policy of the page forbids data: URLs for scripts and styles.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  logLevel: 'warn',
});
