/** What of a driver's outlives its thread, noted in shared memory: the kernel's, and OpenSSL's. */
import type { ListeningSocket } from '../driver.ts';
import { HeldObjects, heldObjectsBytes } from '../tls/openssl/held-objects.ts';
import { loadLibrary } from '../tls/openssl/library.ts';
import { KernelResources, kernelResourcesBytes } from './kernel-resources.ts';
import { loadLibc } from './libc.ts';

export const driverResourceBytes = kernelResourcesBytes + heldObjectsBytes;

export class DriverResources {
  readonly kernel: KernelResources;
  readonly openSsl: HeldObjects;

  constructor(shared: SharedArrayBuffer) {
    this.kernel = new KernelResources(shared);
    this.openSsl = new HeldObjects(shared, kernelResourcesBytes);
  }

  /** To be called once the thread has ended, by another: gives the sockets that listen. */
  reclaim(): readonly ListeningSocket[] {
    const left = this.kernel.reclaim(loadLibc());
    if (this.openSsl.areThere) this.openSsl.freeAll(loadLibrary().openSsl);
    return left;
  }
}
