# Writes one line of measurements a minute.
while true; do
	echo "$(date +%s) $RANDOM" >> /srv/history/measurements
	sleep 60
done
