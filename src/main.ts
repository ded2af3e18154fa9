#!/usr/bin/env node
/** The executable: reads the arguments, runs one command, and ends with its exit code. */
import { program } from './cli/program.ts';

process.exitCode = await program(process.argv);
