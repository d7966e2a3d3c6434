#!/bin/sh
file=$1
rm $file # expect: SC2086
