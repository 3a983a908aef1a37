// Makes a UUIDv7 from a moment and ten random bytes. Pure; http pages have no crypto.randomUUID, and that is version 4.
(() => {
  /**
   * @param {number} wall milliseconds since the epoch
   * @param {Uint8Array} random ten bytes
   * @returns {string} lower-case text
   */
  function uuid7(wall, random) {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(wall) << 16n);
    bytes.set(random.subarray(0, 10), 6);
    bytes[6] = 0x70 | (/** @type {number} */ (bytes[6]) & 0x0f);
    bytes[8] = 0x80 | (/** @type {number} */ (bytes[8]) & 0x3f);
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  globalThis.threadtime = Object.assign(globalThis.threadtime ?? {}, { uuid7 });
})();
