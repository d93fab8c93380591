// The step: starts the program.
'use strict';

require('./launch').step();
