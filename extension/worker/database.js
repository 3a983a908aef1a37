// The database of the extension's own origin: the worker and its pages can open it, content scripts cannot.

/** @type {Promise<IDBDatabase> | undefined} */
let opened;

/** @returns {Promise<IDBDatabase>} */
export function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("threadtime", 2);
    request.onupgradeneeded = ({ oldVersion }) => {
      const db = request.result;
      if (oldVersion < 1) {
        db.createObjectStore("outbox", { keyPath: "id" }).createIndex("by_pairing", ["state", "pairing"]);
        db.createObjectStore("recent", { keyPath: "id" }).createIndex("by_end", "ended_at");
        db.createObjectStore("documents", { keyPath: "document" });
        db.createObjectStore("settings", { keyPath: "name" });
      }
      db.createObjectStore("episodes", { keyPath: "key" });
      db.createObjectStore("answers", { keyPath: "key" });
    };
    request.onsuccess = () => {
      // Another version of the extension wants to upgrade: let go, and open anew when next asked.
      request.result.onversionchange = () => {
        request.result.close();
        opened = undefined;
      };
      resolve(request.result);
    };
    request.onerror = () => {
      opened = undefined;
      reject(request.error);
    };
  });
  return opened;
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
export function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Runs `work` in one transaction; returns what it returned once the transaction is on disk.
 * @template T
 * @param {string[]} stores
 * @param {IDBTransactionMode} mode
 * @param {(transaction: IDBTransaction) => Promise<T> | T} work may await requests of the transaction, and nothing else
 * @returns {Promise<T>}
 */
export async function transact(stores, mode, work) {
  const transaction = (await database()).transaction(stores, mode, { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was given up"));
  });
  done.catch(() => undefined); // reported below; here only so that a failure of `work` is the one that is seen
  let value;
  try {
    value = await work(transaction);
  } catch (error) {
    if (transaction.error === null) abandon(transaction);
    throw error;
  }
  await done;
  return value;
}

/** @param {IDBTransaction} transaction */
function abandon(transaction) {
  try {
    transaction.abort();
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "InvalidStateError")) throw error; // it had ended already
  }
}

/** @param {string} name @returns {Promise<any>} */
export async function read_setting(name) {
  return transact(["settings"], "readonly", async (t) => (await result(t.objectStore("settings").get(name)))?.value);
}

/** @param {string} name @param {unknown} value */
export const write_setting = (name, value) => write_settings({ [name]: value });

/** Writes several settings, all or none. @param {Record<string, unknown>} values by name */
export async function write_settings(values) {
  await transact(["settings"], "readwrite", (t) => {
    for (const [name, value] of Object.entries(values)) t.objectStore("settings").put({ name, value });
  });
}
