import { describeDriver } from './suite.ts';

describeDriver('portable by documented means');
