#!/bin/sh
file=$1
rm -- "$file"
