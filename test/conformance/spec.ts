import type { Rig } from './rig.ts';

/** One sentence of the contract and the test that shows it. */
export type Spec = (title: string, run: (rig: Rig) => Promise<void>) => void;
