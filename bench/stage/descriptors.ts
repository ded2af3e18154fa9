import { descriptorLimit } from '../../src/drivers/descriptors.ts';

/** Where there is no limit, or none that can be read. */
const usual = 20_000;
/** For all that is no connection, and for those that one measurement leaves behind to the next. */
const spare = 1_200;

/** How many descriptors a process of the bench may have. */
export const descriptorsMax = Math.min(descriptorLimit() ?? usual, 2 * 10_000 + spare);
/** How many connections a subject can hold open, which takes it two descriptors each: 10,000 where they allow it. */
export const connectionsMax = Math.floor((descriptorsMax - spare) / 2);
